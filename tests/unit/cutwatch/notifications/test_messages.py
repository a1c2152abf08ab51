import json
import re
import string
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutwatch.aws.limits import SNS_MESSAGE_MAX_BYTES, SNS_SUBJECT_MAX_LENGTH
from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.notifications.detector_lines import StackPlace, when
from cutwatch.notifications.messages import Notification, of_anomalies, of_failures, of_outages
from cutwatch.registry.outcome import Outcome
from cutwatch.registry.silences import Silence
from cutwatch.runs.summary import Summary
from tests.support.builders import NOON, a_detector, a_run, an_outcome

PLACE = StackPlace("prod", "eu-central-1", "Cutwatch")
NINE, TEN_PAST = "2026-11-02T09:00:00Z", "2026-11-02T09:10:00Z"
SPIKE = AnomalyEvent(
    f"orders:{NINE}", NINE, TEN_PAST, NINE, 3, 3.25, 4.2, 912.4, 100.0, 90.0, 110.5, "change",
    period_seconds=300,
)  # fmt: skip
POINT = AnomalyEvent("orders:8", "2026-11-02T08:00:00Z", "2026-11-02T08:00:00Z", NINE, 1, 1.04, 3.5)
SILENCE = AnomalyEvent("orders:7", "2026-11-02T07:00:00Z", "2026-11-02T07:30:00Z", NINE, 7)
BERLIN = a_detector(time_zone="Europe/Berlin", dimensions={"Shop": "north"})


def found(name: str = "orders", *events: AnomalyEvent, **fields: Any) -> Outcome:
    events = events or (SPIKE,)
    known = {"new_events": len(events), "definition": replace(BERLIN, name=name).to_payload()}
    message = "3 new events, 11 of 288 datapoints anomalous"
    return an_outcome(name, "PUBLISHED", message, events=events, **(known | fields))


def anomalies(*outcomes: Outcome, silences: Any = ()) -> Notification:
    return of_anomalies(Summary(a_run(), outcomes), outcomes, PLACE, silences)


def failures(*outcomes: Outcome, others: int = 0) -> Notification:
    everybody = [*outcomes, *[an_outcome(f"fine-{n}") for n in range(others)]]
    return of_failures(Summary(a_run(), everybody), outcomes, PLACE)


def test_a_message_says_what_when_how_far_how_unusual_where_to_look_and_how_to_be_left_alone() -> (
    None
):
    text = anomalies(found()).text

    lines = text.splitlines()
    graph = lines.pop(7)
    assert graph.startswith(
        "  Graph     https://eu-central-1.console.aws.amazon.com/cloudwatch/home?"
    )
    assert "start~'2026-11-02T03*3a00*3a00.000Z" in graph
    assert lines == [
        "orders at 912.4, expected 100 (severity: high, 3.2 times the cutoff).",
        "",
        "orders: 3 new events, 11 of 288 datapoints anomalous",
        "  Metric    Shop Orders (Shop=north), Sum, every 5 min",
        "  Time      Mon 2026-11-02 10:00 to 10:15 Europe/Berlin (09:00 UTC), 15 min",
        "  Value     912.4; expected 100 (90 to 110.5), +812%",
        "  Severity  high, 3.2 times the cutoff; driver: change",
        '  Silence   cutwatch silence orders --for 1d --reason "..." --stack prod --region eu-central-1',
        "",
        "The graphs mark each anomaly; their score series follows within 48 hours.",
        "",
        "Transform of 2026-11-02 12:00 UTC.",
        "Dashboard: https://eu-central-1.console.aws.amazon.com/cloudwatch/home?region=eu-central-1"
        "#dashboards/dashboard/prod-eu-central-1",
    ]


def test_a_message_about_the_last_hours_promises_no_scores_for_later() -> None:
    event = replace(found().events[0], start="2026-11-02T09:05:00Z", end="2026-11-02T09:15:00Z")
    assert "score series" not in anomalies(replace(found(), events=(event,))).text


@pytest.mark.parametrize(
    ("outcomes", "subject"),
    [
        ([found()], "Cutwatch high: orders at 912.4, expected 100"),
        (
            [found(), found("visits"), found("refunds")],
            "Cutwatch high: orders at 912.4, expected 100, and 2 more detectors",
        ),
        ([found("orders", SILENCE)], "Cutwatch high: orders has no data"),
        ([found("orders", POINT)], "Cutwatch low: orders is anomalous"),
    ],
)
def test_the_subject_says_what_matters(outcomes: list[Outcome], subject: str) -> None:
    assert anomalies(*outcomes).subject == subject


def test_attributes_let_people_choose_by_detector_and_severity() -> None:
    assert anomalies(found(), found("visits")).attributes == {
        "kind": "anomalies",
        "severity": "high",
        "high": ["orders", "visits"],
        "detector": ["orders", "visits"],
        "run": "transform-20261102T120000Z",
    }
    assert failures(an_outcome("visits", "FAILED")).attributes["kind"] == "failures"


def test_attributes_name_the_detectors_of_each_severity() -> None:
    minor = replace(SPIKE, severity=1.6)
    attributes = anomalies(found("orders", SPIKE, POINT), found("visits", minor)).attributes
    by_severity = [attributes.get(severity) for severity in ("high", "medium", "low")]
    assert by_severity == [["orders"], ["visits"], ["orders"]]


def test_a_detector_has_one_link_that_can_be_read_however_many_its_events() -> None:
    later = replace(SPIKE, start="2026-11-02T15:00:00Z", end="2026-11-02T15:10:00Z")
    lines = anomalies(found("orders", SPIKE, later, POINT)).text.splitlines()

    [link] = [line for line in lines if "metricsV2" in line]
    assert len(link) < 450
    assert "~start~'2026-11-02T02*3a00" in link
    assert "~end~'2026-11-02T21*3a15" in link
    assert "~value~'2026-11-02T09*3a00" in link.replace("(value", "~value")


def test_a_detector_with_a_log_group_has_a_link_to_its_messages_at_the_time_of_the_event() -> None:
    logged = replace(BERLIN, log_group="/aws/lambda/checkout").to_payload()
    [link] = [
        line
        for line in anomalies(found("orders", definition=logged)).text.splitlines()
        if line.startswith("  Logs ")
    ]
    assert "#logsV2:logs-insights?queryDetail=~(start~'2026-11-02T09*3a00*3a00.000Z" in link
    assert "~end~'2026-11-02T09*3a15*3a00.000Z" in link
    assert link.endswith("~source~(~'*2faws*2flambda*2fcheckout))")
    assert "  Logs " not in anomalies(found()).text


def without_data(name: str = "visits", **fields: Any) -> Outcome:
    outage = ("2026-11-02T03:00:00Z", "2026-11-02T04:55:00Z")
    definition = replace(BERLIN, name=name, **fields).to_payload()
    return an_outcome(name, "PUBLISHED", "0 new events", outage=outage, definition=definition)


def test_outages_that_detectors_ignore_are_mentioned_with_what_to_do() -> None:
    message = of_anomalies(Summary(a_run(), []), [found()], PLACE, silent=[without_data()])
    lines = message.text.splitlines()

    [place] = [
        n for n, line in enumerate(lines) if line.startswith("No data; missing_data is ignore")
    ]
    assert "With missing_data: anomalous, the next one is" in lines[place]
    assert lines[place + 1] == (
        "  visits: Mon 2026-11-02 04:00 to 06:00 Europe/Berlin (03:00 UTC), 2 h"
    )
    assert "No data" not in anomalies(found()).text
    many = [without_data(f"d{n}") for n in range(31)]
    text = of_anomalies(Summary(a_run(), many), [found()], PLACE, silent=many).text
    assert "  and 1 more detector without data" in text.splitlines()


def test_an_outage_alone_has_a_message_with_its_time_its_logs_and_what_to_do() -> None:
    silent = without_data(log_group="/aws/lambda/visits")
    message = of_outages(Summary(a_run(), [silent]), [silent, without_data("logins")], PLACE)
    lines = message.text.splitlines()

    assert message.subject == "Cutwatch: visits had no data for 2 h, and 1 more detector"
    assert message.attributes == {
        "kind": "outages", "detector": ["visits", "logins"], "run": "transform-20261102T120000Z",
    }  # fmt: skip
    assert lines[:5] == [
        "visits had no data for 2 h, and 1 more detector.",
        "",
        "visits: 0 new events",
        "  Metric    Shop Orders (Shop=north), Sum, every 5 min",
        "  No data   Mon 2026-11-02 04:00 to 06:00 Europe/Berlin (03:00 UTC), 2 h",
    ]
    assert "(vertical~(~(~(value~'2026-11-02T03*3a00*3a00.000Z)~(value~'2026-11-02T05" in lines[5]
    assert "logs-insights?queryDetail=~(start~'2026-11-02T03*3a00" in lines[6]
    assert lines[7].startswith("  Silence   cutwatch silence visits --for 1d")
    assert any(line.startswith("missing_data is ignore") for line in lines)


def test_attributes_are_written_as_sns_takes_them() -> None:
    attributes = anomalies(found()).to_request()["MessageAttributes"]
    assert attributes["severity"] == {"DataType": "String", "StringValue": "high"}
    assert attributes["detector"] == {"DataType": "String.Array", "StringValue": '["orders"]'}


def test_silence_is_told_as_what_it_is() -> None:
    text = anomalies(found("orders", SILENCE)).text
    assert "  Severity  high, no data" in text
    assert "  Value     no data; expected data" in text


def test_a_detector_with_many_events_shows_the_five_most_severe_and_where_the_others_are() -> None:
    text = anomalies(found("orders", *[POINT] * 12)).text

    assert text.count("  Time ") == 5
    assert "  and 7 more events: cutwatch events orders --stack prod --region eu-central-1" in text


def test_a_long_list_is_cut_and_says_so() -> None:
    assert (
        "and 1 more detector with anomalies" in anomalies(*[found(f"d{n}") for n in range(31)]).text
    )
    failed = [an_outcome(f"d{n}", "FAILED") for n in range(40)]
    assert "and 10 more detectors that failed" in failures(*failed).text


def test_the_silenced_are_named_in_one_line() -> None:
    text = anomalies(found(), silences=[Silence("visits", NOON, NOON, "a sale")]).text
    assert "Silenced: visits until 2026-11-02 12:00 UTC" in text.splitlines()


def test_failures_are_told_with_their_reasons_and_what_happens_next() -> None:
    told = failures(an_outcome("visits", "FAILED", "Throttled: slow down"), others=3)

    assert told.subject == "Cutwatch: transform failed for 1 detector: visits"
    lines = told.text.splitlines()
    assert lines[0] == "Transform of 2026-11-02 12:00 UTC: 1 of 4 detectors failed."
    assert "visits: Throttled: slow down" in lines
    assert "The next run resumes" in told.text
    assert "cutwatch status --problems --stack prod --region eu-central-1" in told.text


names = st.text(string.ascii_letters + string.digits + "._-", min_size=1, max_size=64)
numbers = st.floats(allow_nan=False, allow_infinity=False)
events = st.builds(
    lambda value, expected: replace(SPIKE, value=value, expected=expected), numbers, numbers
)
anomalous = st.builds(
    lambda name, each: found(f"x{name}"[:64], *each), names, st.lists(events, min_size=1, max_size=20)
)  # fmt: skip
failed = st.builds(
    lambda name, text: an_outcome(name, "FAILED", text), names, st.text(max_size=500)
)


def assert_sendable(notification: Notification) -> None:
    request = notification.to_request()
    assert 0 < len(request["Subject"]) <= SNS_SUBJECT_MAX_LENGTH
    assert request["Subject"].isascii()
    assert request["Subject"].isprintable()
    attributes = sum(
        len(name) + len(a["DataType"]) + len(a["StringValue"])
        for name, a in request["MessageAttributes"].items()
    )
    assert len(request["Message"].encode()) + attributes <= SNS_MESSAGE_MAX_BYTES


@given(st.lists(anomalous, min_size=1, max_size=40))
def test_what_is_found_can_be_sent_whatever_it_is(outcomes: list[Outcome]) -> None:
    assert_sendable(anomalies(*outcomes))


@given(st.lists(failed, min_size=1, max_size=60))
def test_what_failed_can_be_sent_whatever_it_is(outcomes: list[Outcome]) -> None:
    assert_sendable(failures(*outcomes))


def test_ten_thousand_anomalous_detectors_can_be_sent() -> None:
    everybody = [found(f"{'x' * 59}{n:05}") for n in range(10_000)]
    assert_sendable(anomalies(*everybody))
    names = json.loads(
        anomalies(*everybody).to_request()["MessageAttributes"]["detector"]["StringValue"]
    )
    assert len(names) > 400


@pytest.mark.parametrize(
    ("start", "end", "zone", "said"),
    [
        ("2026-11-02T09:00Z", "2026-11-02T09:05Z", "UTC", "Mon 2026-11-02 09:00 to 09:05 UTC, 5 min"),
        (
            "2026-11-02T22:30Z",
            "2026-11-04T00:00Z",
            "Europe/Berlin",
            "Mon 2026-11-02 23:30 to 2026-11-04 01:00 Europe/Berlin (22:30 UTC), 1 d 1 h",
        ),
        (
            "2026-11-01T18:00Z",
            "2026-11-01T18:15Z",
            "Asia/Tokyo",
            "Mon 2026-11-02 03:00 to 03:15 Asia/Tokyo (Sun 2026-11-01 18:00 UTC), 15 min",
        ),
        # An hour is twice that night: from the first to the second half past two is an hour.
        (
            "2026-10-25T00:30Z",
            "2026-10-25T01:30Z",
            "Europe/Berlin",
            "Sun 2026-10-25 02:30 to 02:30 Europe/Berlin (00:30 UTC), 1 h",
        ),
    ],
)  # fmt: skip
def test_time_is_that_of_the_detector_with_utc_beside_it(
    start: str, end: str, zone: str, said: str
) -> None:
    first, last = (text.replace("Z", ":00Z") for text in (start, end))
    assert when(replace(SPIKE, start=first, end=last, period_seconds=0), zone) == said


@pytest.mark.parametrize("expected", [5e-324, 1e-9, -0.001])
def test_a_share_of_next_to_nothing_is_not_told(expected: float) -> None:
    assert "%" not in anomalies(found("orders", replace(SPIKE, expected=expected))).text


def test_values_have_their_unit_in_the_text_and_in_the_subject_which_is_ascii() -> None:
    written = anomalies(found("orders", replace(SPIKE, unit="Microseconds")))
    assert "  Value     912.4 µs; expected 100 µs (90 µs to 110.5 µs), +812%\n" in written.text
    subject = written.to_request()["Subject"]
    assert subject == "Cutwatch high: orders at 912.4 us, expected 100 us"


@pytest.mark.parametrize(
    ("subject", "sent"),
    [
        ("`POST /cart` took 4.2 s, usually 0.1–0.3 s", "`POST /cart` took 4.2 s, usually 0.1-0.3 s"),
        ("100 µs", "100 us"),
        ("shop straße\n", "shop stra?e"),
        ("a\x00b at /café", "a?b at /cafe"),
    ],
)  # fmt: skip
def test_a_subject_is_sent_in_printable_ascii(subject: str, sent: str) -> None:
    assert Notification(subject, "", {}).to_request()["Subject"] == sent


@given(st.text())
def test_sns_accepts_the_subject_of_any_text(text: str) -> None:
    subject = Notification(f"Cutwatch {text}", "text", {}).to_request()["Subject"]
    assert re.fullmatch(r"[ -~]{1,100}", subject)
