"""Numbers that the command line replaces by name: `NAME=VALUE`."""

import math
from collections.abc import Collection, Sequence
from difflib import get_close_matches


class NumberMistake(ValueError):
    """One line that says why a number is not valid."""


def parse_numbers(
    option: str, given: Sequence[str], known: Collection[str], positive: Collection[str] = ()
) -> dict[str, float]:
    """Parse `NAME=VALUE`s; those named in `positive` must not be 0.

    Raises `NumberMistake` for an unknown name, with the closest known name, or an invalid number.
    """
    numbers = dict(_parse_number(option, text, known) for text in given)
    for name, number in numbers.items():
        if number == 0 and name in positive:
            raise NumberMistake(f"{option} {name}=0: expected more than 0")
    return numbers


def _parse_number(option: str, text: str, known: Collection[str]) -> tuple[str, float]:
    name, equals, value = text.partition("=")
    name = name.strip()
    if not equals:
        raise NumberMistake(f"{option} {text}: expected NAME=VALUE")
    if name not in known:
        raise NumberMistake(f"{option} {text}: unknown name {name!r}{_hint(name, known)}")
    number = _number(value)
    if number is None or number < 0:
        raise NumberMistake(f"{option} {text}: {value!r} is not a number of at least 0")
    return name, number


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _hint(name: str, known: Collection[str]) -> str:
    near = get_close_matches(name, known, n=1, cutoff=0)
    return f"; did you mean {near[0]!r}?" if near else ""
