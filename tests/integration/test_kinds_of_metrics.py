"""Metrics as people have them, generated, each with one right answer under both engines."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.detectors.detector import Detector
from cutwatch_cli.backtest.simulation import Backtest, EngineName, Plan, backtest
from cutwatch_cli.csv_files.regular_grid import MetricSeries

Floats = NDArray[np.float64]

START = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday
TEN_MINUTES, HALF_HOUR, HOUR, DAY = 600, 1_800, 3_600, 86_400
DETECTOR = Detector(name="m", namespace="N", metric="m", statistic="Average")


@pytest.fixture(params=["sagemaker", "lambda"])
def engine(request: pytest.FixtureRequest) -> EngineName:
    name: EngineName = request.param
    return name


@dataclass(frozen=True)
class Metric:
    """Days of a metric at a period, in which hours of days can be replaced."""

    values: Floats
    period: int

    @property
    def rows_a_day(self) -> int:
        return DAY // self.period

    def replaced(self, day: int, hour: float, hours: float, value: float | Floats) -> "Metric":
        copy, begin = self.values.copy(), round((day * 24 + hour) * HOUR / self.period)
        copy[begin : begin + round(hours * HOUR / self.period)] = value
        return Metric(copy, self.period)

    def events(self, engine: EngineName, learned: float = 14, **settings: Any) -> "list[Span]":
        return [Span.of(each) for each in self.backtest(engine, learned, **settings).events]

    def backtest(self, engine: EngineName, learned: float = 14, **settings: Any) -> Backtest:
        """After days for training only."""
        series = MetricSeries(self.period, START, self.values.tolist())
        detector = replace(DETECTOR, period=self.period, **settings)
        return backtest(series, detector, timedelta(days=learned), Plan(engine))


@dataclass(frozen=True)
class Span:
    """An event, by its place and its value."""

    start: datetime
    end: datetime
    value: float | None

    @classmethod
    def of(cls, event: AnomalyEvent) -> "Span":
        start, end = (datetime.fromisoformat(each) for each in (event.start, event.end))
        return cls(start, end, event.value)

    def is_at(self, day: int, hour: float, hours: float) -> bool:
        """True if it overlaps these hours, and nothing more than an hour away from them."""
        begin = START + timedelta(days=day, hours=hour)
        end = begin + timedelta(hours=hours)
        near = timedelta(hours=1)
        return begin - near <= self.start < end and self.end <= end + near

    @property
    def day(self) -> int:
        return (self.start - START).days


def random(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def hours_of_day(days: int, period: int) -> Floats:
    return np.arange(days * DAY // period) * period % DAY / HOUR


def same_every_day(seed: int, days: int = 35) -> Metric:
    """To the last digit."""
    hours = hours_of_day(1, TEN_MINUTES)
    day = 100 - 40 * np.cos(2 * np.pi * (hours - 4) / 24) + random(seed).normal(0, 2, len(hours))
    return Metric(np.tile(day, days), TEN_MINUTES)


@pytest.mark.parametrize("learned", [3, 14])
def test_the_same_day_again_and_again_is_no_event_however_little_was_learned(
    learned: int, engine: EngineName
) -> None:
    metric = same_every_day(learned)
    result = metric.backtest(engine, learned)
    assert np.count_nonzero(~np.isnan(result.scores)) > 12 * metric.rows_a_day
    assert result.events == ()


def test_an_outage_that_counts_as_zeros_is_one_event_whatever_came_before_the_metric(
    engine: EngineName,
) -> None:
    """Ten days of absence are not ten days of zeros."""
    young = same_every_day(1, 30).replaced(25, 12, 3, np.nan)
    absent = np.full(10 * young.rows_a_day, np.nan)
    later = Metric(np.concatenate([absent, young.values]), TEN_MINUTES)
    for metric, before in ((young, 0), (later, 10)):
        result = metric.backtest(engine, before + 14, missing_data="zero")
        [outage] = (Span.of(each) for each in result.events)
        assert outage.is_at(before + 25, 12, 3)
        assert outage.value == 0
        assert np.isnan(result.scores[: (before + 14) * metric.rows_a_day]).all()


def nightly_batch(seed: int, jitter: int = 0, days: int = 35) -> Metric:
    """20 ± 2, and 90 ± 3 for half an hour at 02:00, up to `jitter` minutes earlier or later."""
    rng = random(seed)
    metric = Metric(rng.normal(20, 2, days * DAY // TEN_MINUTES), TEN_MINUTES)
    for day in range(days):
        late = rng.integers(-jitter // 10, jitter // 10 + 1) / 6
        metric = metric.replaced(day, 2 + late, 0.5, rng.normal(90, 3, 3))
    return metric


NIGHT = 30


def test_a_job_that_runs_ten_minutes_early_or_late_every_night_is_no_event(
    engine: EngineName,
) -> None:
    assert nightly_batch(3, jitter=10).events(engine) == []


def test_of_a_job_that_runs_every_night_another_time_and_a_night_without_it_are_events(
    engine: EngineName,
) -> None:
    metric = nightly_batch(1).replaced(NIGHT - 3, 14, 0.5, 90).replaced(NIGHT, 2, 0.5, 20)
    another_time, *missed = metric.events(engine)
    assert another_time.is_at(NIGHT - 3, 14, 0.5)
    assert missed
    # It lasts until other nights' jobs are out of sight.
    assert all(each.is_at(NIGHT, 2, 1.5) for each in missed)


def test_a_night_without_a_job_that_varies_is_one_event_within_an_hour_and_its_end(
    engine: EngineName,
) -> None:
    metric = nightly_batch(1, jitter=20).replaced(NIGHT, 1.5, 1.5, random(9).normal(20, 2, 9))
    [event] = (each for each in metric.events(engine) if each.day == NIGHT)

    late = event.start - START - timedelta(days=NIGHT, hours=2)
    assert timedelta(0) <= late <= timedelta(hours=1, minutes=20)
    assert event.value is not None
    assert event.value < 40


def jobs_of_workdays(seed: int) -> Metric:
    """20 ± 2, and 90 ± 3 for half an hour at two o'clock on workdays."""
    metric = nightly_batch(seed, jitter=20)
    for day in (day for day in range(35) if day % 7 >= 5):
        metric = metric.replaced(day, 1.5, 1.5, random(day).normal(20, 2, 9))
    return metric


def test_a_job_of_workdays_is_missed_on_workdays_only(engine: EngineName) -> None:
    friday = NIGHT + 2
    metric = jobs_of_workdays(1).replaced(friday, 1.5, 1.5, random(9).normal(20, 2, 9))
    days = {each.day for each in metric.events(engine)}

    assert friday in days
    assert {day for day in days if day % 7 >= 5} == set()


def daily_datapoints(seed: int, days: int = 420) -> Metric:
    return Metric(1_000 + random(seed).normal(0, 10, days), DAY)


@pytest.mark.parametrize(("seed", "day"), [(5, 300), (6, 333)])
def test_a_spike_of_a_daily_metric_is_one_event_on_its_day_with_its_value(
    seed: int, day: int, engine: EngineName
) -> None:
    [event] = daily_datapoints(seed).replaced(day, 0, 24, 4_000).events(engine, learned=210)
    assert (event.day, event.value) == (day, 4_000)


def monthly_peaks(seed: int) -> Metric:
    """Hourly, with three times the usual on the first of each month, for more than three months."""
    rng, hours = random(seed), hours_of_day(100, HOUR)
    usual = 60 - 15 * np.cos(2 * np.pi * (hours - 4) / 24)
    dates = [START + timedelta(hours=row) for row in range(len(hours))]
    peaks = np.where([at.day == 1 for at in dates], 3.0, 1.0)
    return Metric(usual * peaks * (1 + 0.05 * rng.normal(size=len(hours))), HOUR)


@pytest.mark.slow
def test_a_monthly_peak_is_at_most_one_event_a_month(engine: EngineName) -> None:
    events = monthly_peaks(3).events(engine, learned=28)
    months = [(each.start.year, each.start.month) for each in events]
    assert len(months) == len(set(months))


def test_a_status_check_that_fails_for_two_hours_is_one_event_each_time(engine: EngineName) -> None:
    healthy = Metric(np.zeros(40 * DAY // TEN_MINUTES), TEN_MINUTES)
    failures = healthy.replaced(20, 15, 2, 1).replaced(33, 15, 2, 1).events(engine)
    for day, event in zip((20, 33), failures, strict=True):
        assert event.is_at(day, 15, 2)
        assert event.value == 1


def rare_counts(seed: int, days: int = 42) -> Metric:
    """0, but for one or two small counts a day."""
    rng = random(seed)
    counts = np.zeros(days * DAY // TEN_MINUTES)
    rows = rng.choice(len(counts), size=round(1.5 * days), replace=False)
    counts[rows] = rng.integers(1, 4, len(rows))
    return Metric(counts, TEN_MINUTES)


def test_of_rare_small_counts_a_burst_is_an_event_and_little_else(engine: EngineName) -> None:
    events = rare_counts(1).replaced(35, 10, 0.5, 40).events(engine)
    assert sum(each.is_at(35, 10, 0.5) for each in events) == 1
    assert len(events) - 1 <= 4  # in four weeks


def office_hours(seed: int, days: int = 45) -> Metric:
    """Data from 08:00 to 18:00 only; the first and the last datapoint of a day are partial."""
    hours = hours_of_day(days, TEN_MINUTES)
    values = 170 + random(seed).normal(0, 8, len(hours))
    values[(hours < 8) | (hours >= 18)] = np.nan
    last = 18 - TEN_MINUTES / HOUR
    values[np.isclose(hours, 8) | np.isclose(hours, last)] /= 2.7
    return Metric(values, TEN_MINUTES)


def test_a_metric_that_only_exists_in_office_hours_raises_nothing(engine: EngineName) -> None:
    assert office_hours(1).events(engine) == []


def growth(seed: int, weeks: int = 10) -> Metric:
    """5 % more every week."""
    hours = hours_of_day(7 * weeks, HALF_HOUR)
    usual = 70 - 25 * np.cos(2 * np.pi * (hours - 4) / 24)
    grown = 1.05 ** (np.arange(len(hours)) * HALF_HOUR / (7 * DAY))
    return Metric(usual * grown * (1 + 0.03 * random(seed).normal(size=len(hours))), HALF_HOUR)


def test_growth_of_five_percent_a_week_is_at_most_two_events(engine: EngineName) -> None:
    assert len(growth(1).events(engine)) <= 2


def with_two_incidents(metric: Metric, gap: float, day: int = 30) -> Metric:
    """Four times the usual for half an hour, twice, with hours in between."""
    first = metric.replaced(day, 10, 0.5, 400)
    return first.replaced(day, 10.5 + gap, 0.5, 400)


def test_incidents_hours_apart_are_two_events_where_a_day_has_its_pattern(
    engine: EngineName,
) -> None:
    metric = with_two_incidents(with_two_incidents(same_every_day(1), 1.5, day=25), 8)
    soon, soon_after, first, second = metric.events(engine)
    assert soon.is_at(25, 10, 0.5)
    assert soon_after.is_at(25, 12, 0.5)
    assert first.is_at(30, 10, 0.5)
    assert second.is_at(30, 18.5, 0.5)


def test_incidents_a_day_apart_are_two_events_where_it_has_none(engine: EngineName) -> None:
    noise = Metric(100 + random(1).normal(0, 10, 35 * DAY // TEN_MINUTES), TEN_MINUTES)
    first, second = with_two_incidents(noise, 24).events(engine)
    assert first.is_at(30, 10, 0.5)
    assert second.is_at(31, 10.5, 0.5)


def quiet_weekends(seed: int, weeks: int = 6) -> Metric:
    hours = hours_of_day(7 * weeks, HALF_HOUR)
    workday = np.arange(len(hours)) * HALF_HOUR // DAY % 7 < 5
    busy = np.where(workday, 450 - 150 * np.cos(2 * np.pi * (hours - 3) / 24), 60)
    return Metric(busy * (1 + 0.05 * random(seed).normal(size=len(hours))), HALF_HOUR)


def test_quiet_weekends_are_no_events(engine: EngineName) -> None:
    assert [each for each in quiet_weekends(1).events(engine) if each.day % 7 >= 5] == []
