import json
import math
import random
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutwatch.streams.key_profile import PROFILE_DAYS, SLOTS_A_DAY, KeyProfile

DAY, HOUR = 86_400, 3_600
# A Monday, 00:00 UTC.
START = 1_780_272_000


def rhythm(time: float) -> float:
    return 100 + 50 * math.sin(2 * math.pi * time / DAY)


def learned(days: float, step: float, columns: int = 1, time_zone: str = "UTC") -> KeyProfile:
    profile = KeyProfile(columns, time_zone)
    source = random.Random(0)
    for number in range(round(days * DAY / step)):
        time = START + number * step
        profile.move_to(time)
        profile.add([rhythm(time) + source.gauss(0, 1) for _ in range(columns)])
    return profile


def restored(profile: KeyProfile, columns: int = 1) -> KeyProfile:
    content, payload = profile.to_parts()
    return KeyProfile.from_parts(content, json.loads(json.dumps(payload)), columns, "UTC")


def test_nothing_is_expected_in_the_first_two_days() -> None:
    assert learned(1.99, 300).expected == ()
    assert len(learned(2.01, 300).expected) == 1


@pytest.mark.parametrize("step", [60, 300, 900, HOUR])
def test_the_usual_value_at_the_time_of_day_is_expected(step: int) -> None:
    profile = learned(5, step)
    begin, found = START + 5 * DAY, []
    for time in range(begin, begin + DAY, step):
        profile.move_to(time)
        found.append(profile.expected[0] - rhythm(time))
        profile.add([rhythm(time)])
    assert max(map(abs, found)) < 15
    assert sum(map(abs, found)) / len(found) < 3


def test_each_column_has_a_profile_of_its_own() -> None:
    profile = KeyProfile(2, "UTC")
    for time in range(START, START + 4 * DAY, 300):
        profile.move_to(time)
        profile.add([rhythm(time), -7.0])
    first, second = profile.expected
    assert first == pytest.approx(rhythm(START + 4 * DAY - 300), abs=2)
    assert second == -7


def test_the_level_follows_a_lasting_change_within_a_day() -> None:
    profile = learned(5, 300)
    begin = START + 5 * DAY
    for time in range(begin, begin + DAY, 300):
        profile.move_to(time)
        profile.add([rhythm(time) + 40])
    profile.move_to(begin + DAY)
    assert profile.expected[0] == pytest.approx(rhythm(begin) + 40, abs=8)


def test_the_profile_is_fitted_with_the_first_row_of_a_local_day() -> None:
    profile, zone = KeyProfile(1, "Asia/Kolkata"), ZoneInfo("Asia/Kolkata")
    fitted = []
    for time in range(START, START + 4 * DAY, 300):
        if profile.move_to(time):
            fitted.append(datetime.fromtimestamp(time, zone).strftime("%H:%M"))
        profile.add([1.0])
    assert fitted == ["00:00"] * 2


def test_a_row_out_of_order_belongs_to_the_present_slot() -> None:
    profile = learned(3, 300)
    before = profile.expected
    assert not profile.move_to(START + DAY)
    assert profile.expected == before


def test_a_key_keeps_four_weeks_and_forgets_them_after_as_long_a_silence() -> None:
    profile = learned(PROFILE_DAYS + 3, HOUR)
    assert profile.slots == PROFILE_DAYS * SLOTS_A_DAY
    profile.move_to(START + 90 * DAY)
    assert (profile.slots, profile.expected) == (0, ())


@pytest.mark.parametrize("days", [0.5, 3, 9, 16])
def test_a_profile_is_restored_exactly(days: float) -> None:
    profile = learned(days, 900, columns=2)
    again = restored(profile, columns=2)
    assert repr(again.to_parts()) == repr(profile.to_parts())
    for time in range(round(START + days * DAY), round(START + (days + 2) * DAY), 900):
        assert profile.move_to(time) == again.move_to(time)
        assert profile.expected == again.expected
        for each in (profile, again):
            each.add([rhythm(time), 1.0])
    assert repr(again.to_parts()) == repr(profile.to_parts())


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(1, 2 * DAY), st.floats(-1e30, 1e30)), min_size=1, max_size=60))  # fmt: skip
def test_any_rows_have_finite_expectations_that_do_not_depend_on_when_the_state_was_stored(
    rows: list[tuple[int, float]],
) -> None:
    kept, stored, time = KeyProfile(1, "UTC"), KeyProfile(1, "UTC"), START
    for after, value in rows:
        time += after
        kept.move_to(time)
        stored.move_to(time)
        assert kept.expected == stored.expected
        assert all(map(math.isfinite, kept.expected))
        kept.add([value])
        stored.add([value])
        stored = restored(stored)
    assert repr(kept.to_parts()) == repr(stored.to_parts())
