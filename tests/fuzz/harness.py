"""What every harness is: a check of one input, what to begin with, and what once failed."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.fuzz.mutations import Mutation


@dataclass(frozen=True)
class Harness:
    """`check` raises for bytes that are not dealt with as they must be; `regressions` once made it.

    `mutation` knows the form of the input, `words` are what it is made of.
    """

    check: Callable[[bytes], None]
    seeds: tuple[bytes, ...]
    regressions: tuple[bytes, ...] = ()
    words: tuple[str, ...] = ()
    mutation: Mutation | None = None


def names(error: Exception, *things: str) -> None:
    """An error of ours is a sentence in characters that can be shown, and names what it is about."""
    text = str(error)
    assert len(text) > len("is wrong"), f"{type(error).__name__} says nothing: {text!r}"
    assert text.replace("\n", "").isprintable(), f"{text!r} cannot be shown"
    assert not things or any(thing in text for thing in things), f"{text!r} names none of {things}"
