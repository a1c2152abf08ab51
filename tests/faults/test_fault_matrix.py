"""A part of the matrix, another one for every commit; `make faults` runs all of it."""

import pytest

from tests.faults.matrix import Bench, chosen_for, present_commit

# What two processes get through in about four minutes on two cores.
CASES = 120
PARTS = 2


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_befalls_a_call_the_run_ends_as_it_must(
    part: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with Bench.opened() as bench:
        chosen = chosen_for(present_commit(), bench.cases, CASES)
        verdicts = [bench.verdict(number) for number in chosen[part::PARTS]]
    skipped = sorted({case.name for case in bench.cases} - {bench.cases[n].name for n in chosen})
    with capsys.disabled():
        print(f"\n{len(verdicts)} cases of {len(bench.cases)}; skipped for this commit:")
        if part == 0:
            print(*skipped, sep="\n")
    failed = {bench.cases[verdict.number].name: verdict.problems for verdict in verdicts}
    assert {name: problems for name, problems in failed.items() if problems} == {}
