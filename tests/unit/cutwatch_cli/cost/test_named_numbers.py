import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutwatch_cli.cost.named_numbers import NumberMistake, parse_numbers

KNOWN = {"s3_put", "s3_get", "alarm"}


@given(st.dictionaries(st.sampled_from(sorted(KNOWN)), st.floats(0, 1e12)))
def test_every_number_that_is_given_by_a_known_name_is_read(numbers: dict[str, float]) -> None:
    given_ = [f"{name}={number!r}" for name, number in numbers.items()]
    assert parse_numbers("--price", given_, KNOWN) == numbers


def test_the_last_of_two_numbers_of_one_name_counts() -> None:
    assert parse_numbers("--price", ["alarm=1", "alarm=2"], KNOWN) == {"alarm": 2}


def test_an_unknown_name_is_told_the_nearest_one() -> None:
    with pytest.raises(NumberMistake, match=r"unknown name 's3_putt'; did you mean 's3_put'\?"):
        parse_numbers("--price", ["s3_putt=1"], KNOWN)


@pytest.mark.parametrize("value", ["", "cheap", "-1", "nan", "inf", "1,5"])
def test_what_is_no_number_from_0_is_refused(value: str) -> None:
    with pytest.raises(NumberMistake, match="is not a number of at least 0"):
        parse_numbers("--price", [f"alarm={value}"], KNOWN)


def test_a_name_without_a_number_is_refused() -> None:
    with pytest.raises(NumberMistake, match="expected NAME=VALUE"):
        parse_numbers("--price", ["alarm"], KNOWN)
