"""Whether a disturbed run ended as it must: in words what is wrong, or nothing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from cutwatch.registry.run import run_id
from localaws.ministack_patches.state_execution import abort_executions
from localaws.stacks import ExecutionResult, ExecutionTimedOut
from tests.faults.cases import Case
from tests.faults.shop import (
    NAMES,
    NEXT_AT,
    PERIOD,
    TRAINED_AT,
    TRANSFORMED_AT,
    Scenario,
    Shop,
    Standing,
)
from tests.support.fleet import FIRST_TRAINING

_OF_THE_RUN = ("ListDetectors", "RetireDetectors", "SummarizeRun")
# Cleaning up comes when all else is done: what cannot be deleted now is deleted later, and fails nobody.
_CLEANING_UP = {
    ("RegisterModel", "DeleteModel", 0),
    ("RegisterModel", "GetItem", 1),
    ("RegisterModel", "UpdateItem", 1),
    ("RegisterModel", "GetItem", 5),
    ("RegisterModel", "UpdateItem", 5),
    ("RetireDetectors", "DeleteModel", 0),
    ("PublishAnomalies", "DeleteObject", 0),
}
_TOLD_AT_MOST = 4
_SUCCESSES = ("TRAINED", "PUBLISHED")


@dataclass
class Judge:
    """Runs cases in a shop and judges them by runs without faults."""

    shop: Shop
    undisturbed: Mapping[Scenario, Standing]
    _following: dict[Scenario, Standing] = field(default_factory=dict)
    _joined: dict[Scenario, Standing] = field(default_factory=dict)

    def problems(self, case: Case) -> list[str]:
        """What is wrong with how the case ended."""
        self.shop.rewind(case.scenario)
        paced = case.column == "throttled" and case.target and case.target.service == "cloudwatch"
        if paced:
            # Adaptive clients fill their bucket by the clock, which has just been turned back.
            self.shop.fleet.aws.cool_down()
        case.arrange(self.shop)
        before = self.shop.standing()
        try:
            result = self.shop.run(case.scenario)
            after = self.shop.standing()
            self.shop.fleet.aws.faults.clear()
            return list(self._judged(case, result, before, after))
        except ExecutionTimedOut:
            abort_executions()
            raise
        finally:
            if paced:
                self.shop.fleet.aws.cool_down()

    def _after_both_runs(self, scenario: Scenario) -> Standing:
        """What a scenario without a fault leaves, and the run after it."""
        if scenario not in self._following:
            self.shop.rewind(scenario)
            assert self.shop.run(scenario).status == "SUCCEEDED"
            assert self.shop.run_next(scenario).status == "SUCCEEDED"
            self._following[scenario] = self.shop.standing()
        return self._following[scenario]

    def _after_the_next_run(self, scenario: Scenario) -> Standing:
        """What the run after a scenario leaves if the scenario's own never was."""
        if scenario not in self._joined:
            self.shop.rewind(scenario)
            assert self.shop.run_next(scenario).status == "SUCCEEDED"
            self._joined[scenario] = self.shop.standing()
        return self._joined[scenario]

    def _judged(
        self, case: Case, result: ExecutionResult, before: Standing, after: Standing
    ) -> Iterator[str]:
        if case.judge:
            yield from case.judge(self.shop, result)
            return
        if not case.says:
            yield from _differences(self.undisturbed[case.scenario], after, _told_again(case))
        elif _is_of_the_run(case):
            # A transform goes on when the training that it asked for fails, which then says why itself.
            ends = (
                [result, *self.shop.trainings_on_demand()]
                if case.scenario == "on demand"
                else [result]
            )
            yield from _says_why(case, ends)
        else:
            yield from self._failed_alone(case, result, before, after)
        if case.says:
            yield from self._caught_up(case)

    def _failed_alone(
        self, case: Case, result: ExecutionResult, before: Standing, after: Standing
    ) -> Iterator[str]:
        found = _outcomes_of(case, after)
        for name in NAMES:
            status, message = found.get(name, ("none", ""))
            if name not in case.detectors or _cleans_up(case):
                if status not in _SUCCESSES:
                    yield f"{name} ended {status}: {message}"
            elif status != "FAILED" or case.says not in message:
                yield f"{name} ended {status}: {message}, which does not name {case.says}"
            else:
                yield from _half_done(name, before, after, self.undisturbed[case.scenario])
        if result.status != "SUCCEEDED" and set(case.detectors) != set(NAMES):
            yield f"the execution ended {result.status}: {result.error}, {result.cause}"

    def _caught_up(self, case: Case) -> Iterator[str]:
        result = self.shop.run_next(case.scenario)
        if result.status != "SUCCEEDED":
            yield f"the next run ended {result.status}: {result.error}, {result.cause}"
            return
        standing = self.shop.standing()
        for name in NAMES:
            yield from _gaps(name, case.scenario, standing)
        if case.scenario == "transform" and case.says != "ModelMissing":
            for name in NAMES:
                yield from self._other_scores(name, case.scenario, standing)

    def _other_scores(self, name: str, scenario: Scenario, standing: Standing) -> Iterator[str]:
        """Whether the scores are those of two windows, or of both read as one: what is expected is learned before each."""
        found = standing.maxima["AnomalyScore", name]
        if found != self._after_the_next_run(scenario).maxima["AnomalyScore", name]:
            apart = self._after_both_runs(scenario).maxima["AnomalyScore", name]
            yield from _first(f"scores of {name} after the next run", apart, found)


def _differences(wanted: Standing, found: Standing, again: str | None) -> Iterator[str]:
    for what in ("objects", "items", "maxima"):
        yield from _first(what, getattr(wanted, what), getattr(found, what))
    told = {
        "Publish": (wanted.mails, found.mails),
        "PutEvents": (wanted.on_bus, found.on_bus),
    }
    for operation, (usual, sent) in told.items():
        most = _TOLD_AT_MOST * usual if operation == again else usual
        if not usual <= sent <= most:
            yield f"{operation} told {sent} things instead of {usual}"


def _first(what: str, wanted: Mapping[Any, Any], found: Mapping[Any, Any]) -> Iterator[str]:
    """The first few keys in which two mappings differ."""
    differing = [
        key
        for key in sorted(wanted.keys() | found.keys(), key=str)
        if wanted.get(key) != found.get(key)
    ]
    for key in differing[:3]:
        yield f"{what} {key}: {_short(found.get(key))} instead of {_short(wanted.get(key))}"


def _short(value: Any) -> str:
    return str(value)[:300]


def _told_again(case: Case) -> str | None:
    """What may be told more than once: a lost answer leaves open whether it was, and each attempt may then tell again."""
    unknown = case.column in ("reset after", "late", "killed")
    return case.target.operation if case.target and unknown else None


def _is_of_the_run(case: Case) -> bool:
    target = case.target
    if target is None or _cleans_up(case):
        return False
    return target.caller in _OF_THE_RUN or target.subject in _OF_THE_RUN


def _cleans_up(case: Case) -> bool:
    target = case.target
    return target is not None and (
        (target.caller, target.operation, target.occurrence) in _CLEANING_UP
    )


def _says_why(case: Case, ends: Sequence[ExecutionResult]) -> Iterator[str]:
    failed = [end for end in ends if end.status == "FAILED"]
    if not failed:
        yield f"the execution ended {ends[0].status}, though the run itself could not go on"
    elif not any(case.says in f"{end.error}: {end.cause}" for end in failed):
        yield f"the execution says {failed[0].error}: {failed[0].cause}"


def outcomes(scenario: Scenario, standing: Standing) -> dict[str, tuple[str, str]]:
    kind, at = ("training", TRAINED_AT) if scenario == "training" else ("transform", TRANSFORMED_AT)
    partition = f"RUN#{run_id(kind, at)}"
    return {
        sk.removeprefix("OUTCOME#"): (item["status"], item["message"])
        for (pk, sk), item in standing.items.items()
        if pk == partition and sk.startswith("OUTCOME#")
    }


def _outcomes_of(case: Case, standing: Standing) -> dict[str, tuple[str, str]]:
    found = outcomes(case.scenario, standing)
    if _model_was_registered(case):
        # The transform uses it; why nothing was recorded of the training stands in the training's own run.
        found |= {name: _outcome_on_demand(standing, name) for name in case.detectors}
    return found


def _model_was_registered(case: Case) -> bool:
    """Whether a training on demand failed only when it recorded what it had done."""
    target = case.target
    return target is not None and (
        (target.scenario, target.caller, target.operation)
        == ("on demand", "RegisterModel", "PutItem")
        and "/OUTCOME#" in target.subject
    )


def _outcome_on_demand(standing: Standing, name: str) -> tuple[str, str]:
    partition = f"RUN#{run_id('training', TRANSFORMED_AT, on_demand=True)}"
    item = standing.items.get((partition, f"OUTCOME#{name}"), {})
    return str(item.get("status", "none")), str(item.get("message", ""))


def _half_done(name: str, before: Standing, after: Standing, whole: Standing) -> Iterator[str]:
    """Of a detector that failed, all is published or nothing, and a model is registered as it should be or not."""
    for metric in ("Anomaly", "AnomalyScore"):
        found = after.maxima.get((metric, name), {})
        if found not in (before.maxima.get((metric, name), {}), whole.maxima.get((metric, name))):
            yield f"{metric} of {name} is half published: {len(found)} datapoints"
    models = {model["name"]: model for model in _record(whole, name).get("models", [])}
    known = [model["name"] for model in _record(before, name).get("models", [])]
    for model in _record(after, name).get("models", []):
        if model["name"] not in known and model != models.get(model["name"]):
            yield f"model {model['name']} of {name} is half registered"


def _record(standing: Standing, name: str) -> Mapping[str, Any]:
    return standing.items.get(("DETECTOR", name), {})


def _gaps(name: str, scenario: Scenario, standing: Standing) -> Iterator[str]:
    """Whether every datapoint from the first window to the last is published, and nothing else."""
    end = TRANSFORMED_AT if scenario == "training" else NEXT_AT
    # A detector that never published begins as far back as FirstWindowDays says, whenever it is trained at last.
    starts = (
        (TRANSFORMED_AT - timedelta(days=1), NEXT_AT - timedelta(days=1))
        if scenario == "on demand"
        else (FIRST_TRAINING,)
    )
    found = standing.published(name)
    grids = [set(range(int(s.timestamp()), int(end.timestamp()), PERIOD)) for s in starts]
    if found not in grids:
        missing, surplus = len(grids[0] - found), len(found - grids[0])
        yield f"{name} has a gap: {missing} of {len(grids[0])} missing, {surplus} too many"
    through = _record(standing, name).get("published_through")
    if through != f"{end:%Y-%m-%dT%H:%M:%SZ}":
        yield f"{name} is published through {through}"
