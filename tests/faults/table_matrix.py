"""Every distinct call of a watched table's functions with every fault of AWS's, for both engines and for the training.

`python -m tests.faults.table_matrix` judges all cases and prints the matrix; an argument chooses a scenario, or the cases whose
names hold it.
"""

import re
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from localaws import Fault
from localaws.calls import Call
from tests.faults.calls import Target
from tests.faults.cases import KINDS, Kind, fault_of
from tests.faults.matrix import Verdict, shown
from tests.faults.table_shop import Outcome, TableShop, opened_table_shop

Scenario = Literal["endpoint", "forest", "training", "export"]
# What a training prepared by Glue calls beyond one by a function.
_EXPORTING = ("StartExport", "GetExportStatus", "StartPreparationJob", "GetPreparationJobStatus", "PrepareRecords")  # fmt: skip
_FUNCTION = re.compile(r"/taxi-([A-Za-z]+)-[0-9A-F]+$")
_STATES = "states.amazonaws.com"
# Calls of a kind in a scenario that are cases of their own.
_OCCURRENCES = 2
_BETWEEN_TRAININGS = 120
# Once for each of botocore's attempts and once more, or once more after the function has ended.
_MOST_MAILS = {"reset after": 4, "late": 2, "killed": 2, "denied": 2}


@dataclass(frozen=True)
class TableCase:
    """One fault of one call."""

    scenario: Scenario
    target: Target
    kind: Kind

    @property
    def name(self) -> str:
        return f"{self.scenario}: {self.target.label} #{self.target.occurrence + 1} [{self.kind}]"

    @property
    def fault(self) -> Fault:
        return fault_of(self.target, self.kind)


class Judge:
    """A shop, with the outcome of an undisturbed scenario."""

    def __init__(self, shop: TableShop, scenario: Scenario) -> None:
        self._shop, self._scenario = shop, scenario
        self.undisturbed: Outcome | None = None
        before = len([*shop.aws.calls])
        if problems := [*self._run(None)]:
            raise RuntimeError(f"{scenario} without a fault: {'; '.join(problems)}")
        self._calls = [*shop.aws.calls][before:]

    def cases(self) -> list[TableCase]:
        """Every case, from the calls of an undisturbed run."""
        return [
            TableCase(self._scenario, target, kind)
            for target in _targets(self._calls)
            if self._scenario != "export" or {target.caller, target.subject} & {*_EXPORTING}
            for kind in KINDS
            if target.has_function or kind not in ("late", "killed")
        ]

    def problems(self, case: TableCase) -> list[str]:
        """Run the scenario with a fault; return what is wrong afterwards."""
        return [*self._run(case)]

    def _run(self, case: TableCase | None) -> Sequence[str]:
        is_training = self._scenario in ("training", "export")
        return self._train(case) if is_training else self._score(case)

    def _score(self, case: TableCase | None) -> Sequence[str]:
        self._shop.rewind()
        if case is not None:
            self._shop.aws.faults.add(case.fault)
        self._shop.run()
        self._shop.aws.faults.clear()
        outcome = self._shop.outcome()
        if self.undisturbed is None:
            self.undisturbed = outcome
        allowed = _MOST_MAILS.get(case.kind, 1) if case else 1
        return [*_differences(outcome, self.undisturbed, allowed)]

    def _train(self, case: TableCase | None) -> Sequence[str]:
        shop, calls = self._shop, self._shop.aws.calls
        # Each training has a minute of its own, which names its run.
        shop.aws.clock.advance(_BETWEEN_TRAININGS)
        event = {"time": f"{shop.aws.clock.now():%Y-%m-%dT%H:%M}:00Z"}
        shop.aws.faults.clear()
        before = len([*calls])
        runs_before = self._job_runs() if self._scenario == "export" else 0
        if case is not None:
            shop.aws.faults.add(case.fault)
        ended = shop.application.run(event).wait()
        shop.aws.faults.clear()
        found = [*_wrong_end(ended, case)]
        if ended.status != "SUCCEEDED":
            again = shop.application.run(event).wait()
            found += [] if again.status == "SUCCEEDED" else [f"the repetition: {again.cause}"]
        made = [*calls][before:]
        if self._scenario == "export":
            counts = (len(_exports(made)), self._job_runs() - runs_before)
            found += [f"{counts} exports and runs of the Glue job"] if counts != (1, 1) else []
        return [*found, *self._wrong_training(event["time"], made)]

    def _wrong_training(self, moment: str, calls: Sequence[Call]) -> Iterator[str]:
        application, watch = self._shop.application, self._shop.watch
        serving = list(application.aws.variants_in_service().get("taxi", []))
        digits = re.sub(r"\D", "", moment)[:12]
        if len(serving) != 1 or digits not in serving[0]:
            yield f"{serving} serve instead of the model of {moment}"
        if len(application.cutoffs) > _OCCURRENCES:
            yield f"{len(application.cutoffs)} cutoffs are kept"
        if watch.without:
            yield f"served without a cutoff: {watch.without}"
            watch.without.clear()
        for operation in ("CreateTrainingJob", "CreateTransformJob"):
            names = _created(operation, calls)
            if len(names) != 1:
                yield f"{operation} made {names}"

    def _job_runs(self) -> int:
        """The number of all runs of the Glue job."""
        glue = self._shop.application.client("glue")
        return len(glue.get_job_runs(JobName="taxi-prepare-records")["JobRuns"])


def _wrong_end(ended: Any, case: TableCase | None) -> Iterator[str]:
    """A denial ends the training with its name; any other fault is survived."""
    if ended.status == "SUCCEEDED":
        return
    is_denial = case is not None and case.kind == "denied"
    if not (is_denial and "AccessDenied" in f"{ended.error} {ended.cause}"):
        yield f"the training ended {ended.status}: {ended.error}: {ended.cause}"


def _exports(calls: Iterable[Call]) -> set[str]:
    """The tokens of exports that were started: DynamoDB takes each once."""
    return {
        call.parameters["ClientToken"]
        for call in calls
        if call.operation == "ExportTableToPointInTime" and call.error_code in (None, "AnswerLost")
    }


def _created(operation: str, calls: Iterable[Call]) -> set[str]:
    return {
        str(value)
        for call in calls
        if call.operation == operation and call.error_code in (None, "AnswerLost")
        for name, value in call.parameters.items()
        if name.endswith("JobName")
    }


def _differences(found: Outcome, expected: Outcome, most_mails: int) -> Iterator[str]:
    if not found.is_scored:
        yield "the changes were never scored"
    for name in ("states", "incidents", "rejected"):
        if getattr(found, name) != getattr(expected, name):
            yield f"{name} {getattr(found, name)} instead of {getattr(expected, name)}"
    if found.mails.keys() != expected.mails.keys() or max(found.mails.values()) > most_mails:
        yield f"mails {found.mails} instead of {expected.mails}"


def _targets(calls: Iterable[Call]) -> Iterator[Target]:
    seen: Counter[tuple[str, str, str]] = Counter()
    for call in calls:
        match = _FUNCTION.search(call.caller)
        caller = "States" if call.caller == _STATES else match[1] if match else ""
        if not caller or call.service in ("logs", "xray"):
            continue
        key = (caller, call.service, call.operation)
        subject = _invoked(call) if caller == "States" else ""
        if seen[key] < _OCCURRENCES or caller == "States":
            yield Target("transform", *key, seen[key], subject, ())
        seen[key] += 1


def _invoked(call: Call) -> str:
    match = re.search(r"taxi-([A-Za-z]+)-", str(call.parameters.get("FunctionName", "")))
    return match[1] if match else ""


def verdicts(judge: Judge, cases: Sequence[TableCase]) -> Iterator[Verdict]:
    """Judge cases one after the other."""
    for number, case in enumerate(cases):
        try:
            found = tuple(judge.problems(case))
        except Exception as error:  # noqa: BLE001 - a case that cannot be judged has not passed
            found = (f"{type(error).__name__}: {error}",)
        yield Verdict(number, case.name.rpartition(" [")[0], case.kind, found)


def main() -> int:
    """Judge, tell progress, print the matrix; 1 if a case failed."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    started, done = time.monotonic(), list[Verdict]()
    scenarios: tuple[Scenario, ...] = get_args(Scenario)
    for scenario in [each for each in scenarios if wanted not in scenarios or each == wanted]:
        engine = "forest" if scenario == "forest" else "endpoint"
        preparation = "glue" if scenario == "export" else "lambda"
        with opened_table_shop(engine, preparation) as shop:
            judge = Judge(shop, scenario)
            cases = [case for case in judge.cases() if wanted in case.name]
            for verdict in verdicts(judge, cases):
                done.append(verdict)
                if verdict.problems:
                    print(cases[verdict.number].name, *verdict.problems, sep="\n  ", flush=True)
                if len(done) % 25 == 0:
                    print(f"{len(done)} cases", flush=True)
    print(shown(done))
    print(f"{time.monotonic() - started:.0f} s")
    return int(any(verdict.problems for verdict in done))


if __name__ == "__main__":
    sys.exit(main())
