import json
import math
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from cutwatch.detectors.log_format import LOG_COLUMNS
from cutwatch.features.log_event import LogEvent
from cutwatch.features.log_features import FeatureRow, LogFeatures
from cutwatch.features.log_statistics import LogStatistics
from cutwatch.features.log_traffic import RecentTraffic
from cutwatch.features.log_training import fit_statistics
from tests.support.log_events import MONDAY, an_event, ordinary_events, ordinary_features


def row_of(event: LogEvent, features: LogFeatures | None = None) -> dict[str, float]:
    return named((features or ordinary_features()).row(event, RecentTraffic()))


def named(row: FeatureRow) -> dict[str, float]:
    return dict(zip(LOG_COLUMNS, row.values, strict=True))


def test_numbers_of_the_training_have_mean_0_and_deviation_1() -> None:
    recent = RecentTraffic()
    rows = [named(ordinary_features().row(event, recent)) for event in ordinary_events(5_000)]
    for name in ("response_time", "response_time_of_path", "request_rate", "distinct_paths"):
        values = [row[name] for row in rows]
        assert sum(values) / len(values) == pytest.approx(0, abs=0.02)
        assert math.sqrt(sum(each**2 for each in values) / len(values)) <= 1.05


def test_a_slow_response_stands_out_against_its_own_path() -> None:
    slow = [an_event(time=MONDAY + n, path="/export", response_time=9 + n % 3) for n in range(100)]
    features = LogFeatures(fit_statistics([*ordinary_events(5_000), *slow]))
    export = row_of(an_event(path="/export", response_time=10.0), features)
    cart = row_of(an_event(response_time=10.0), features)
    assert abs(export["response_time_of_path"]) < 1
    assert cart["response_time_of_path"] > 8
    assert cart["response_time"] == export["response_time"]


def test_a_rare_category_is_rarer_but_no_standard_deviations_away() -> None:
    rare = row_of(an_event(method="DELETE", status=500, level="ERROR", path="/new"))
    usual = row_of(an_event())
    for name in ("method", "status", "level", "path"):
        assert usual[name] < 2 < rare[name] < 10


def test_the_end_of_a_day_is_next_to_its_beginning() -> None:
    last, first, noon = (
        row_of(an_event(time=MONDAY + offset)) for offset in (86_399, 86_400, 43_200)
    )

    def distance(one: dict[str, float], other: dict[str, float]) -> float:
        return math.dist(*[(row["hour_sin"], row["hour_cos"]) for row in (one, other)])

    assert distance(last, first) < 0.01
    assert distance(noon, first) == pytest.approx(2)


@pytest.mark.parametrize(("day", "weekend"), [(0, 0.0), (4, 0.0), (5, 1.0), (6, 1.0)])
def test_saturday_and_sunday_are_the_weekend(day: int, weekend: float) -> None:
    row = row_of(an_event(time=MONDAY + 86_400 * day))
    assert row["weekend"] == weekend
    assert (row["weekday_sin"], row["weekday_cos"]) == pytest.approx(
        (math.sin(math.tau * day / 7), math.cos(math.tau * day / 7))
    )


def test_the_hour_is_that_of_the_time_zone() -> None:
    berlin = LogFeatures(fit_statistics(ordinary_events(100), "Europe/Berlin"))
    hour = datetime.fromtimestamp(MONDAY, ZoneInfo("Europe/Berlin")).hour
    assert row_of(an_event(), berlin)["hour_sin"] == pytest.approx(math.sin(math.tau * hour / 24))


def test_a_key_with_a_part_of_the_traffic_is_ordinary_and_one_with_more_is_not() -> None:
    of_keys = LogFeatures(ordinary_features().statistics, of_keys=True)
    quiet, busy = RecentTraffic(), RecentTraffic()
    part = [of_keys.row(each, quiet).values for each in ordinary_events(200, seed=5, step=4.0)][-1]
    scan = [
        of_keys.row(each._replace(path=f"/{n % 97}x"), busy).values
        for n, each in enumerate(ordinary_events(400, seed=5, step=0.2))
    ][-1]
    rate, paths = (LOG_COLUMNS.index(each) for each in ("request_rate", "distinct_paths"))
    assert (part[rate], part[paths]) == (0.0, 0.0)
    assert min(scan[rate], scan[paths]) > 3


def test_an_event_without_a_response_time_has_the_mean() -> None:
    row = row_of(an_event(response_time=None))
    assert (row["response_time"], row["response_time_of_path"]) == (0.0, 0.0)


@pytest.mark.parametrize("seconds", [0.0, 1e-9, 1e9, 1e300])
def test_every_value_is_finite_and_bounded(seconds: float) -> None:
    row = row_of(an_event(response_time=seconds, level="\udcff", path="/\x00", status=999))
    assert all(math.isfinite(value) and abs(value) <= 20 for value in row.values())


def test_restored_features_give_the_same_rows() -> None:
    content = json.dumps(ordinary_features().statistics.to_payload())
    restored = LogFeatures(LogStatistics.from_payload(json.loads(content)))
    one, other = RecentTraffic(), RecentTraffic()
    for event in ordinary_events(500, seed=2):
        assert ordinary_features().row(event, one) == restored.row(event, other)
