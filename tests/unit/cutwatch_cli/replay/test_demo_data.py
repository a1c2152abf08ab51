from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest

from cutwatch_cli.replay.demo_data import DAY, PERIOD, WEEK, WEEKS, DemoData, active_users


@pytest.fixture(scope="module")
def demo() -> DemoData:
    return active_users()


def test_a_seed_is_one_history_and_another_seed_another(demo: DemoData) -> None:
    again, other = active_users(), active_users(seed=8)

    assert np.array_equal(again.series.values, demo.series.values, equal_nan=True)
    assert not np.array_equal(other.series.values, demo.series.values, equal_nan=True)


def test_the_history_is_nine_weeks_at_five_minutes(demo: DemoData) -> None:
    assert demo.series.period_seconds == 300
    assert len(demo.series.values) == 9 * 7 * 288


def test_users_are_counted_in_whole_numbers_above_zero(demo: DemoData) -> None:
    known = np.array(demo.series.values)[~np.isnan(demo.series.values)]

    assert np.all(known == np.round(known))
    assert known.min() > 1_000


def test_every_kind_of_anomaly_is_planted_after_two_clean_weeks(demo: DemoData) -> None:
    kinds = {anomaly.kind for anomaly in demo.planted}
    clean = demo.series.start + timedelta(weeks=2)

    assert {"spike", "dip", "broken daily pattern", "outage"} <= kinds
    assert all(clean <= anomaly.start < anomaly.end <= demo.series.end for anomaly in demo.planted)


def test_the_planted_anomalies_do_not_touch(demo: DemoData) -> None:
    ordered = sorted(demo.planted, key=lambda anomaly: anomaly.start)

    assert all(
        earlier.end + timedelta(days=1) < later.start for earlier, later in pairwise(ordered)
    )


def test_only_the_outage_misses_datapoints(demo: DemoData) -> None:
    outage = next(anomaly for anomaly in demo.planted if anomaly.kind == "outage")

    missing = [
        moment
        for moment, value in zip(demo.series.timestamps, demo.series.values, strict=True)
        if np.isnan(value)
    ]

    assert len(missing) > 30
    assert all(outage.start <= moment < outage.end for moment in missing)


@pytest.mark.parametrize(
    "kind", ["spike", "dip", "broken daily pattern", "night surge", "level shift"]
)
def test_an_anomaly_stands_out_from_the_same_hours_of_other_weeks(
    kind: str, demo: DemoData
) -> None:
    anomaly = next(anomaly for anomaly in demo.planted if anomaly.kind == kind)
    weeks = np.array(demo.series.values).reshape(WEEKS, WEEK)
    first = (anomaly.start - demo.series.start) // PERIOD
    week, place = divmod(first, WEEK)
    window = slice(place, place + (anomaly.end - anomaly.start) // PERIOD)

    others = np.delete(weeks[:, window], week, axis=0).mean(axis=1)

    deviation = abs(weeks[week, window].mean() - others.mean())
    assert deviation > 5 * others.std()


def test_evenings_are_busy_nights_quiet_and_weekends_busier_by_day(demo: DemoData) -> None:
    days = np.array(demo.series.values)[:WEEK].reshape(7, DAY)
    hour = DAY // 24

    assert np.all(days[:, 21 * hour] > 3 * days[:, 5 * hour])
    assert days[5:, 15 * hour].min() > 1.2 * days[:5, 15 * hour].max()


def test_the_audience_grows(demo: DemoData) -> None:
    weeks = np.array(demo.series.values).reshape(WEEKS, WEEK)

    assert np.nanmedian(weeks[-1]) > 1.02 * np.nanmedian(weeks[0])
