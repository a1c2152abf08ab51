"""The part of the fuzzing that is the same every time: what it begins with, and whatever once failed."""

from random import Random

import pytest

from tests.fuzz.harnesses import HARNESSES

# A few of each seed, and other ones for each: `make fuzz` goes on from there.
_MUTATIONS, _PLACES = 50, 25
_INPUTS = [
    pytest.param(name, data, id=f"{name}-{kind}-{number}")
    for name, harness in HARNESSES.items()
    for kind, inputs in (("seed", harness.seeds), ("regression", harness.regressions))
    for number, data in enumerate(inputs)
]


@pytest.mark.parametrize(("name", "data"), _INPUTS)
def test_an_input_is_what_was_meant_or_an_error_of_ours(name: str, data: bytes) -> None:
    HARNESSES[name].check(data)


@pytest.mark.slow
@pytest.mark.parametrize("name", HARNESSES)
def test_a_seed_that_is_cut_off_or_damaged_anywhere_is_too(name: str) -> None:
    harness = HARNESSES[name]
    for which, seed in enumerate(harness.seeds):
        for number in range(_MUTATIONS if harness.mutation else 0):
            chance = Random(which * _MUTATIONS + number)
            mutated = harness.mutation and harness.mutation(seed, chance)
            harness.check(mutated or b"")
        step = max(1, len(seed) // _PLACES)
        for place in range(0, len(seed), step):
            harness.check(seed[:place])
            harness.check(seed[:place] + bytes([seed[place] ^ 1]) + seed[place + 1 :])
