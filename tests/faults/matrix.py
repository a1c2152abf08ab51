"""The matrix as a whole: which cases there are, some of them run in several processes, and how it is shown."""

import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from multiprocessing import get_context
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Protocol

from tests.faults.calls import distinct, targets
from tests.faults.cases import KINDS, Case, call_cases, job_cases
from tests.faults.judgement import Judge
from tests.faults.shop import SCENARIOS, Scenario, Shop, Standing, opened_shop
from tests.faults.time_cases import time_cases

_WITHOUT_GIT = "no commit"


class Named(Protocol):
    """A case of a matrix."""

    @property
    def name(self) -> str: ...


@dataclass(frozen=True)
class Verdict:
    """How a case ended."""

    number: int
    row: str
    column: str
    problems: tuple[str, ...]


def all_cases(shop: Shop) -> tuple[list[Case], dict[Scenario, Standing]]:
    """Every case, in an order that depends on nothing but the application, and what each scenario leaves without a fault."""
    found, undisturbed = [], {}
    for scenario in SCENARIOS:
        shop.rewind(scenario)
        assert shop.run(scenario).status == "SUCCEEDED"
        found += list(targets(scenario, shop.fleet.aws.calls))
        undisturbed[scenario] = shop.standing()
    return [*call_cases(distinct(found)), *job_cases(), *time_cases()], undisturbed


def chosen_for(commit: str, cases: Sequence[Named], count: int) -> list[int]:
    """As many of the cases as there is time for: other ones for every commit, the same for everybody."""

    def lot(number: int) -> str:
        return sha256(f"{commit} {cases[number].name}".encode()).hexdigest()

    return sorted(sorted(range(len(cases)), key=lot)[:count])


def present_commit() -> str:
    """The commit that is checked out, or something fixed where there is no git."""
    answer = subprocess.run(
        ["git", "rev-parse", "HEAD"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.stdout.strip() or _WITHOUT_GIT


class Bench:
    """One process's shop, opened when the first case comes."""

    _opened: "Bench | None" = None

    @classmethod
    @contextmanager
    def opened(cls) -> Iterator["Bench"]:
        """For a process that has other local AWSs after it."""
        bench = cls()
        with bench._open:
            yield bench

    def __init__(self) -> None:
        self._open = ExitStack()
        shop = self._open.enter_context(opened_shop())
        Finalize(None, self._open.close, exitpriority=10)
        self.cases, undisturbed = all_cases(shop)
        self._judge = Judge(shop, undisturbed)

    @classmethod
    def of_this_process(cls) -> "Bench":
        cls._opened = cls._opened or cls()
        return cls._opened

    def verdict(self, number: int) -> Verdict:
        case = self.cases[number]
        try:
            problems = self._judge.problems(case)
        except Exception as error:  # noqa: BLE001 - a case that cannot be judged has not passed
            problems = [f"{type(error).__name__}: {error}"]
        return Verdict(number, f"{case.scenario}: {case.row}", case.column, tuple(problems))


def count_cases() -> int:
    return len(Bench.of_this_process().cases)


def names() -> list[str]:
    return [case.name for case in Bench.of_this_process().cases]


def judge(number: int) -> Verdict:
    return Bench.of_this_process().verdict(number)


def run(numbers: Sequence[int], processes: int) -> Iterator[Verdict]:
    """Judge cases in processes that have a shop of their own each."""
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(judge, numbers)


def shown(verdicts: Sequence[Verdict]) -> str:
    """A line for each call, a column for each fault: `+` passed, `F` failed; then each job; then what failed, and why."""
    rows: dict[str, dict[str, Verdict]] = {}
    for verdict in verdicts:
        rows.setdefault(verdict.row, {})[verdict.column] = verdict
    lines = ["throt  5xx    rst<   rst>   deny   late   kill "]
    for row, found in rows.items():
        if found.keys() <= set(KINDS):
            lines.append(f"{'  '.join(_mark(found.get(kind)) for kind in KINDS)}  {row}")
        else:
            marks = ", ".join(f"{column} {_mark(each).strip()}" for column, each in found.items())
            lines.append(f"{row}: {marks}")
    failed = [verdict for verdict in verdicts if verdict.problems]
    for verdict in failed:
        lines += ["", f"{verdict.row} [{verdict.column}]", *(f"  {p}" for p in verdict.problems)]
    lines += ["", f"{len(rows)} calls and jobs, {len(verdicts)} cases, {len(failed)} failed"]
    return "\n".join(lines)


def _mark(verdict: Verdict | None) -> str:
    if verdict is None:
        return "     "
    return "  F  " if verdict.problems else "  +  "
