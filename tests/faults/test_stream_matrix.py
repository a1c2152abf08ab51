"""A part of the stream's matrix, another one for every commit; `make faults` runs all of it."""

import pytest

from cutwatch.detectors.stream import Stream
from tests.faults.matrix import chosen_for, present_commit
from tests.faults.stream_matrix import problems, stream_cases, verdicts
from tests.faults.stream_shop import FEATURED, STREAM, opened_stream_shop

CASES = 3


@pytest.mark.slow
@pytest.mark.parametrize("stream", [STREAM, FEATURED], ids=["", "features"])
def test_whatever_befalls_a_call_a_streams_records_are_applied_once(
    stream: Stream, capsys: pytest.CaptureFixture[str]
) -> None:
    with opened_stream_shop(stream) as shop:
        cases = stream_cases(shop)
        undisturbed = problems(shop, None)
        chosen = chosen_for(present_commit(), cases, CASES)
        judged = [*verdicts(shop, cases, chosen)]
        shop.rewind()
        rang = shop.give_up()
        totals, lost = shop.totals(), shop.lost()
    with capsys.disabled():
        print(f"\n{CASES} cases of {len(cases)} of a stream; `make faults` runs the others")
    assert undisturbed == []
    failed = {cases[each.number].name: each.problems for each in judged if each.problems}
    assert failed == {}
    # Each record is scored, late, rejected or declared lost, and the alarm says why before any is lost.
    assert rang
    assert lost == 16
    assert totals.rejected == 1
    assert totals.accepted + totals.late + totals.rejected + lost == shop.sent == 108
