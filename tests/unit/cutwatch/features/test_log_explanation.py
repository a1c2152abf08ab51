import pytest

from cutwatch.features.log_event import LogEvent
from cutwatch.features.log_explanation import explain, most_unusual, seconds_in_words
from cutwatch.features.log_features import FeatureRow
from cutwatch.features.log_traffic import RecentTraffic
from tests.support.log_events import MONDAY, an_event, ordinary_events, ordinary_features


def after_ordinary_traffic(*events: LogEvent) -> FeatureRow:
    recent = RecentTraffic()
    for each in ordinary_events(300, seed=3):
        ordinary_features().row(each, recent)
    rows = [ordinary_features().row(each._replace(time=MONDAY + 301.0), recent) for each in events]
    return rows[-1]


def test_a_slow_response_names_the_usual_times_of_its_path_and_hour() -> None:
    row = after_ordinary_traffic(an_event(method="POST", response_time=4.2))
    assert explain(ordinary_features(), row)[0] == (
        "`POST /cart` took 4.2 s, usually 0.12–0.34 s at this hour"
    )


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"method": "DELETE"}, "method `DELETE` is rare: none of 5,000 records in training"),
        ({"status": 502}, "status `5xx` is rare: none of 5,000 records in training"),
        ({"level": "fatal"}, "level `FATAL` is rare: none of 5,000 records in training"),
        (
            {"path": "/wp-login.php"},
            "`GET /wp-login.php` has a path that is new or rarer than every known path",
        ),
    ],
)
def test_a_rare_category_says_how_rare(fields: dict[str, object], sentence: str) -> None:
    assert sentence in explain(ordinary_features(), after_ordinary_traffic(an_event(**fields)))


def test_a_burst_of_errors_has_its_rate() -> None:
    row = after_ordinary_traffic(*[an_event(status=200 if n % 2 else 503) for n in range(200)])
    found = explain(ordinary_features(), row, ["error_rate"])
    assert found == ["39% of the requests in a minute failed, usually 0.0%"]


def test_a_burst_of_requests_has_its_rate() -> None:
    row = after_ordinary_traffic(*[an_event()] * 3_000)
    assert explain(ordinary_features(), row, ["request_rate"]) == [
        "50.9 requests a second, usually 0.78–1.2 at this hour"
    ]


def test_a_scan_has_its_number_of_paths() -> None:
    names = [chr(97 + a) + chr(97 + b) for a in range(8) for b in range(10)]
    row = after_ordinary_traffic(*[an_event(path=f"/{name}") for name in names])
    assert "84 different paths in a minute, usually" in explain(ordinary_features(), row, ["distinct_paths"])[0]  # fmt: skip


def test_attributions_decide_which_sentence_is_first() -> None:
    row = after_ordinary_traffic(an_event(method="DELETE", response_time=9.0))
    first, second = explain(ordinary_features(), row, ["method", "hour_sin", "response_time"])
    assert first.startswith("method `DELETE`")
    assert second.startswith("`DELETE /cart` took 9 s")


def test_equal_sentences_are_said_once() -> None:
    row = after_ordinary_traffic(an_event(response_time=9.0))
    found = explain(ordinary_features(), row, ["response_time", "response_time_of_path"])
    assert len(found) == 1


def test_the_time_of_day_is_never_the_reason() -> None:
    assert "hour_sin" not in most_unusual(after_ordinary_traffic(an_event()))


def test_a_path_that_could_break_a_line_is_made_legible() -> None:
    row = after_ordinary_traffic(an_event(path="/\x1b[31m\n" + "a" * 500))
    sentence = explain(ordinary_features(), row, ["path"])[0]
    assert sentence.isprintable()
    assert len(sentence) < 200


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "under 1 ms"),
        (0.085, "85 ms"),
        (1.0, "1 s"),
        (4.23, "4.2 s"),
        (90.0, "90 s"),
        (1_200.0, "20 min"),
    ],
)
def test_response_times_are_read_at_a_glance(seconds: float, words: str) -> None:
    assert seconds_in_words(seconds) == words
