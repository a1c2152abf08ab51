"""A part of the stream's matrix, another one for every commit; `make faults` runs all of it."""

import pytest

from tests.faults.matrix import chosen_for, present_commit
from tests.faults.stream_matrix import differences, stream_cases, verdicts
from tests.faults.stream_shop import FEATURED, StreamShop, opened_stream_shop

CASES = 2


def assert_applied_once(shop: StreamShop, capsys: pytest.CaptureFixture[str]) -> None:
    """Judge the run that the cases are made of, and a few of them."""
    cases = stream_cases(shop)
    assert [*differences(shop)] == []
    chosen = chosen_for(present_commit(), cases, CASES)
    judged = [*verdicts(shop, cases, chosen)]
    with capsys.disabled():
        print(f"\n{CASES} cases of {len(cases)} of a stream; `make faults` runs the others")
    failed = {cases[each.number].name: each.problems for each in judged if each.problems}
    assert failed == {}


@pytest.mark.slow
def test_whatever_befalls_a_call_a_streams_records_are_applied_once_or_declared_lost(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with opened_stream_shop() as shop:
        assert_applied_once(shop, capsys)
        shop.rewind()
        rang = shop.give_up()
        totals, lost = shop.totals(), shop.lost()
    # Each record is scored, late, rejected or declared lost, and the alarm says why before any is lost.
    assert rang
    assert lost == 16
    assert totals.rejected == 1
    assert totals.accepted + totals.late + totals.rejected + lost == shop.sent == 108


@pytest.mark.slow
def test_whatever_befalls_a_call_the_records_of_a_stream_with_features_are_applied_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with opened_stream_shop(FEATURED) as shop:
        assert_applied_once(shop, capsys)
