from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from cutwatch.aws.limits import METRIC_MAX_AGE, metric_retention
from cutwatch.timeseries.windows import (
    PUBLISHING_MARGIN,
    Window,
    earliest_readable,
    newest_end,
    training_window,
    transform_window,
)
from cutwatch.timestamps import floor_to_period
from tests.support.builders import NOON, a_detector

DETECTOR = a_detector()
LATE = timedelta(minutes=15)
WEEK = timedelta(days=7)

periods = st.sampled_from([60, 300, 900, 3_600])
scheduled_times = st.datetimes(
    min_value=datetime(2026, 1, 1),  # noqa: DTZ001 - Hypothesis wants bounds without a zone
    max_value=datetime(2027, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
delays = st.integers(0, 2_880).map(lambda minutes: timedelta(minutes=minutes))
ages = st.integers(0, 60 * 24 * 40).map(lambda minutes: timedelta(minutes=minutes))
first_windows = st.integers(0, 13).map(lambda days: timedelta(days=days))


def test_windows_end_where_late_datapoints_have_had_their_time() -> None:
    assert newest_end(DETECTOR, NOON + timedelta(minutes=4), LATE) == NOON - LATE


@given(periods, scheduled_times, delays)
def test_the_newest_end_is_aligned_and_never_beyond_the_horizon(
    period: int, scheduled: datetime, delay: timedelta
) -> None:
    end = newest_end(a_detector(period=period), scheduled, delay)

    assert end <= scheduled - delay < end + timedelta(seconds=period)
    assert end.timestamp() % period == 0


@given(periods, scheduled_times, delays, st.none() | ages, first_windows, ages)
def test_training_never_sees_what_its_model_will_score(
    period: int,
    scheduled: datetime,
    delay: timedelta,
    watermark_age: timedelta | None,
    first_window: timedelta,
    waited: timedelta,
) -> None:
    detector = a_detector(period=period)
    newest = newest_end(detector, scheduled, delay)
    published_through = (
        None if watermark_age is None else floor_to_period(newest - watermark_age, period)
    )

    trained = training_window(detector, newest, published_through, first_window, scheduled)
    later = newest + floor_to_period_length(waited, period)
    scored = transform_window(detector, later, later + delay, published_through, trained.end)

    assert trained.start <= trained.end <= newest
    assert scored.is_empty or trained.end <= scored.start
    for edge in (trained.start, trained.end, scored.start, scored.end):
        assert edge.timestamp() % period == 0


def floor_to_period_length(duration: timedelta, period: int) -> timedelta:
    return duration - duration % timedelta(seconds=period)


@given(periods, scheduled_times, ages)
def test_everything_in_a_transforms_window_can_still_be_published_when_its_job_is_done(
    period: int, now: datetime, watermark_age: timedelta
) -> None:
    detector = a_detector(period=period)
    newest = newest_end(detector, now, LATE)
    watermark = floor_to_period(newest - watermark_age, period)

    window = transform_window(detector, newest, now, watermark, watermark)

    assert window.start + METRIC_MAX_AGE >= now + PUBLISHING_MARGIN


@given(periods, scheduled_times, ages)
def test_what_is_lost_and_what_is_scored_is_all_there_is_since_the_watermark(
    period: int, now: datetime, watermark_age: timedelta
) -> None:
    detector = a_detector(period=period)
    newest = newest_end(detector, now, LATE)
    watermark = floor_to_period(newest - watermark_age, period)

    window = transform_window(detector, newest, now, watermark, watermark)

    lost = timedelta(seconds=period * window.lost_periods)
    assert watermark + lost == window.start


def test_a_detector_that_never_published_begins_where_its_training_ended() -> None:
    trained_through = NOON - timedelta(days=2)

    window = transform_window(DETECTOR, NOON, NOON, None, trained_through)

    assert window == Window(trained_through, NOON)


def test_a_published_window_is_not_published_again() -> None:
    assert transform_window(DETECTOR, NOON, NOON, NOON, NOON - WEEK).is_empty


def test_training_learns_the_history_before_the_watermark() -> None:
    watermark = NOON - timedelta(days=3)

    window = training_window(DETECTOR, NOON, watermark, timedelta(), NOON)

    assert window == Window(watermark - timedelta(days=30), watermark)


def test_training_on_demand_leaves_a_new_detector_its_first_window_to_score() -> None:
    assert training_window(DETECTOR, NOON, None, WEEK, NOON).end == NOON - WEEK


def test_training_by_calendar_uses_everything_there_is() -> None:
    assert training_window(DETECTOR, NOON, None, timedelta(), NOON).end == NOON


def test_a_watermark_that_fell_behind_does_not_hold_training_back_where_nothing_can_be_published() -> (
    None
):
    window = training_window(DETECTOR, NOON, NOON - timedelta(days=90), timedelta(), NOON)
    assert window.end == NOON - METRIC_MAX_AGE + PUBLISHING_MARGIN


@given(periods, scheduled_times, st.none() | ages, first_windows)
def test_training_reads_nothing_that_is_beyond_retention_by_now(
    period: int, now: datetime, watermark_age: timedelta | None, first_window: timedelta
) -> None:
    detector = a_detector(period=period, history_days=455)
    newest = newest_end(detector, now, LATE)
    watermark = None if watermark_age is None else floor_to_period(newest - watermark_age, period)

    window = training_window(detector, newest, watermark, first_window, now)

    assert window.is_empty or window.start >= earliest_readable(period, now)
    assert window.is_empty == (window.end <= earliest_readable(period, now))


@given(st.integers(1, 1_440).map(lambda minutes: minutes * 60), scheduled_times)
def test_the_earliest_readable_datapoint_is_within_retention_by_a_margin(
    period: int, now: datetime
) -> None:
    age = now - earliest_readable(period, now)

    assert metric_retention(period) - PUBLISHING_MARGIN - timedelta(seconds=period) <= age
    assert age <= metric_retention(period) - PUBLISHING_MARGIN
