"""Which calls a scenario makes, and which of them are the same for the matrix."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from localaws.calls import Call
from tests.faults.shop import FIRST, JOBS, NAMES, SECOND, Scenario

_FUNCTION = re.compile(r"/cutwatch-([A-Za-z]+)-[0-9A-F]+$")
_LOGICAL_ID = re.compile(r"cutwatch-([A-Za-z]+)-[0-9A-F]+")
_CHANGING = re.compile(r"\d{8}T\d{6}Z|-\d{12}(?=-)|[-/][0-9a-f]{8}(?=[-/]|$)|-\d+$")
_STATES = "states.amazonaws.com"
_FOR_ONE_OF_SAGEMAKER = {
    "StartTrainingJob",
    "GetTrainingJobStatus",
    "CreateModel",
    "StartTransformJob",
    "GetTransformJobStatus",
}
# Whose list a Map reads, by the end of its key.
_LISTED = {"/lambda.json": (FIRST, SECOND), "/sagemaker.json": (JOBS,)}


@dataclass(frozen=True)
class Target:
    """One call: the `occurrence`th (from 0) of this caller and operation in a scenario, and whom it concerns."""

    scenario: Scenario
    caller: str
    service: str
    operation: str
    occurrence: int
    subject: str
    detectors: tuple[str, ...]

    @property
    def label(self) -> str:
        return f"{self.caller} {self.service}.{self.operation} {self.subject}".rstrip()

    @property
    def has_function(self) -> bool:
        """Whether a function makes the call, or is what is called."""
        return self.caller != "States" or self.service == "lambda"

    def is_of(self, caller: str) -> bool:
        return self.caller == _short(caller)


def targets(scenario: Scenario, calls: Iterable[Call]) -> Iterator[Target]:
    """Every call of the application's in order; SageMaker's own and the operator's are none of them."""
    seen: Counter[tuple[str, str, str]] = Counter()
    for call in calls:
        caller = _short(call.caller)
        if not caller:
            continue
        key = (caller, call.service, call.operation)
        parameters = call.parameters
        yield Target(
            scenario, *key, seen[key], _subject(call, parameters), _detectors(caller, parameters)
        )
        seen[key] += 1


def distinct(found: Iterable[Target]) -> list[Target]:
    """The first of all targets that are equivalent.

    The rule: two calls of a scenario are one if the same function makes them for the same subject, the same number of
    times into its work, and they differ in nothing but the run's times, or in which of two detectors of one batch it
    is. Of a transform that trains on demand, only calls for subjects that neither of the other scenarios has are left.
    """
    first: dict[tuple[str, ...], Target] = {}
    times: Counter[tuple[str, ...]] = Counter()
    for target in found:
        own = (target.scenario, target.caller, target.service, target.operation, target.subject)
        alike = (*own[:-1], target.subject.replace(SECOND, FIRST))
        number = str(times[own])
        times[own] += 1
        known = target.scenario == "on demand" and any(
            (scenario, *alike[1:], "0") in first for scenario in ("training", "transform")
        )
        if not known:
            first.setdefault((*alike, number), target)
    return list(first.values())


def _short(caller: str) -> str:
    """The function's logical id, `States` for Step Functions, or nothing for whoever is not the application."""
    if caller == _STATES:
        return "States"
    match = _FUNCTION.search(caller)
    return match[1] if match else ""


def _detectors(caller: str, parameters: Mapping[str, Any]) -> tuple[str, ...]:
    if caller == "States" and "FunctionName" not in parameters:
        key = str(parameters.get("Key", ""))
        return next((names for end, names in _LISTED.items() if key.endswith(end)), NAMES)
    text = json.dumps(parameters, default=str)
    named = tuple(name for name in NAMES if re.search(rf"\b{name}\b", text))
    return named or ((JOBS,) if caller in _FOR_ONE_OF_SAGEMAKER else ())


def _subject(call: Call, parameters: Mapping[str, Any]) -> str:
    subject = {
        "s3": _object,
        "dynamodb": _item,
        "lambda": _function,
        "sagemaker": _named,
        "cloudwatch": _metrics,
        "stepfunctions": _machine,
    }.get(call.service, lambda _: "")(parameters)
    return _CHANGING.sub("", subject)


def _object(parameters: Mapping[str, Any]) -> str:
    return str(parameters.get("Key", ""))


def _item(parameters: Mapping[str, Any]) -> str:
    found = parameters.get("Key") or parameters.get("Item")
    if found:
        return f"{found['pk']['S']}/{found['sk']['S']}"
    values = parameters["ExpressionAttributeValues"]
    return "/".join(value["S"] for value in values.values())


def _function(parameters: Mapping[str, Any]) -> str:
    match = _LOGICAL_ID.search(parameters["FunctionName"])
    return match[1] if match else ""


def _machine(parameters: Mapping[str, Any]) -> str:
    match = _LOGICAL_ID.search(parameters["StateMachineArn"])
    return match[1] if match else ""


def _named(parameters: Mapping[str, Any]) -> str:
    return next(str(value) for name, value in parameters.items() if name.endswith("Name"))


def _metrics(parameters: Mapping[str, Any]) -> str:
    data = parameters.get("MetricData") or [
        query["MetricStat"]["Metric"] for query in parameters["MetricDataQueries"]
    ]
    dimensions = [each["Value"] for each in data[0].get("Dimensions", [])]
    return " ".join([data[0]["MetricName"], *dimensions])
