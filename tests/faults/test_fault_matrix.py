"""A part of the matrix, another one for every commit; `make faults` runs all of it."""

import pytest

from tests.faults.matrix import Bench, chosen_for, present_commit

# Drawn besides those of ALWAYS.
CASES = 4
# What no single call stands for.
ALWAYS = ("quota never", "delayed visibility", "retention")


@pytest.mark.slow
def test_whatever_befalls_a_call_the_run_ends_as_it_must(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Bench.opened() as bench:
        always = {n for n, case in enumerate(bench.cases) if case.column in ALWAYS}
        chosen = sorted({*chosen_for(present_commit(), bench.cases, CASES), *always})
        verdicts = [bench.verdict(number) for number in chosen]
    skipped = sorted({case.name for case in bench.cases} - {bench.cases[n].name for n in chosen})
    with capsys.disabled():
        print(f"\n{len(verdicts)} cases of {len(bench.cases)}; skipped for this commit:")
        print(*skipped, sep="\n")
    failed = {bench.cases[verdict.number].name: verdict.problems for verdict in verdicts}
    assert {name: problems for name, problems in failed.items() if problems} == {}
