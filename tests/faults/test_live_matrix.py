"""A part of the matrix of live detection, another one for every commit; `make faults` runs all of it."""

import pytest

from tests.faults.live_matrix import live_cases, verdicts
from tests.faults.live_shop import opened_live_shop
from tests.faults.matrix import chosen_for, present_commit

CASES = 2


@pytest.mark.slow
def test_whatever_befalls_a_call_live_detection_and_its_audit_notify_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with opened_live_shop() as shop:
        cases = live_cases(shop)
        expected = shop.standing()
        chosen = chosen_for(present_commit(), cases, CASES)
        judged = [*verdicts(shop, cases, chosen, expected)]
    with capsys.disabled():
        print(f"\n{CASES} cases of {len(cases)} of live detection; `make faults` runs the others")
    assert expected.told_twice == 0
    failed = {cases[each.number].name: each.problems for each in judged if each.problems}
    assert failed == {}
