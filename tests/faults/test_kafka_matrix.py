"""A part of the Kafka stream's matrix, another one for every commit; `make faults` runs all of it."""

import pytest

from tests.faults.kafka_matrix import Undisturbed, verdicts
from tests.faults.matrix import chosen_for, present_commit

CASES = 4


@pytest.mark.slow
def test_whatever_befalls_a_call_a_log_is_scored_reported_and_trained_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    undisturbed = Undisturbed.run()
    every = undisturbed.cases
    chosen = [(number, every[number]) for number in chosen_for(present_commit(), every, CASES)]
    judged = [*verdicts(chosen, undisturbed)]
    with capsys.disabled():
        print(f"\n{CASES} cases of {len(every)} of a Kafka stream; `make faults` runs the others")
    for expected in undisturbed.expected.values():
        assert (expected["outbox"], expected["results"], expected["is_current"]) == (False, 0, True)
        assert [ended for _, ended, _ in expected["incidents"]] == [True]
    assert {every[each.number].name: each.problems for each in judged if each.problems} == {}
