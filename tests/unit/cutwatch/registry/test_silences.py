from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from cutwatch.aws.clients import from_item, to_item
from cutwatch.registry.silences import Silence, in_force, silenced_line
from tests.support.builders import NOON

DAY = timedelta(days=1)


def a_silence(detector: str = "orders", lasting: timedelta = DAY) -> Silence:
    return Silence(detector, NOON, NOON + lasting, "a known deployment")


@given(st.integers(1, 90 * 86_400), st.text(max_size=50))
def test_a_silence_is_read_back_as_it_was_stored(seconds: int, reason: str) -> None:
    silence = Silence("orders", NOON, NOON + timedelta(seconds=seconds), reason)
    assert Silence.from_item(from_item(to_item(silence.to_item()))) == silence


def test_a_silence_expires_when_it_is_over() -> None:
    assert a_silence().to_item()["expires_at"] == (NOON + DAY).timestamp()


@given(st.integers(-1000, 1000))
def test_a_silence_is_in_force_until_its_end_and_not_at_it(minutes: int) -> None:
    now = NOON + DAY + timedelta(minutes=minutes)
    assert bool(in_force([a_silence()], now)) is (minutes < 0)


def test_the_line_says_who_and_until_when() -> None:
    assert silenced_line([a_silence("orders"), a_silence("visits", 2 * DAY)]) == (
        "Silenced: orders until 2026-11-03 12:00 UTC, visits until 2026-11-04 12:00 UTC"
    )


def test_a_long_line_is_cut_and_says_so() -> None:
    line = silenced_line([a_silence(f"d{number}") for number in range(33)])
    assert line.endswith(" and 3 more")
    assert "d29 " in line
    assert "d30 " not in line
