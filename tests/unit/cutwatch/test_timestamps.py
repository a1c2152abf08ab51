from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutwatch.errors import InvalidInput
from cutwatch.timestamps import ceil_to_period, floor_to_period, format_timestamp, parse_timestamp

moments = st.datetimes(
    min_value=datetime(1990, 1, 1),  # noqa: DTZ001 - Hypothesis wants bounds without a zone
    max_value=datetime(2090, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=-3, minutes=-30))]),
)
periods = st.sampled_from([60, 300, 900, 3_600, 86_400])


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-01T03:00:00Z",
        "2026-11-01T03:00:00+00:00",
        "2026-11-01T03:00:00",
        "2026-11-01T04:00:00+01:00",
        "2026-11-01T03:00:00.000Z",
    ],
)
def test_every_spelling_of_a_moment_is_the_same_moment_in_utc(text: str) -> None:
    moment = parse_timestamp(text)

    assert moment == datetime(2026, 11, 1, 3, tzinfo=UTC)
    assert moment.tzinfo is UTC


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-13-01T00:00:00Z", None, 1_790_000_000])
def test_anything_else_is_refused_with_the_fields_name_and_an_example(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"^started is .*; expected ISO 8601 such as 2026-"):
        parse_timestamp(text, "started")


@given(moments)
def test_a_moment_is_read_back_to_the_second(moment: datetime) -> None:
    assert parse_timestamp(format_timestamp(moment)) == moment.replace(microsecond=0)


@given(moments, periods)
def test_the_floor_is_the_last_multiple_of_the_period_and_the_ceiling_the_next(
    moment: datetime, period: int
) -> None:
    floor, ceiling = floor_to_period(moment, period), ceil_to_period(moment, period)

    assert floor <= moment <= ceiling
    assert ceiling - floor in (timedelta(), timedelta(seconds=period))
    assert floor.timestamp() % period == ceiling.timestamp() % period == 0


@given(moments, periods)
def test_an_aligned_moment_is_its_own_floor_and_ceiling(moment: datetime, period: int) -> None:
    aligned = floor_to_period(moment, period)

    assert floor_to_period(aligned, period) == ceil_to_period(aligned, period) == aligned
