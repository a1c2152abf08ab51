"""Every call of live detection, and of the audit about live incidents, with every fault of AWS's.

`python -m tests.faults.live_matrix` judges all cases and prints the matrix; an argument chooses those whose names hold it.
"""

import re
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from localaws import Fault
from localaws.calls import Call
from tests.faults.calls import Target
from tests.faults.cases import KINDS, Kind, fault_of
from tests.faults.live_shop import LiveShop, Standing, opened_live_shop
from tests.faults.matrix import Verdict, shown

# Every call that may be made: a new one must be added here, and has then been tried with every fault.
LISTED = (
    "PublishAnomalies cloudwatch.PutMetricData Anomaly",
    "PublishAnomalies dynamodb.GetItem LIVE#users",
    "PublishAnomalies dynamodb.Query LIVE#users",
    "PublishAnomalies dynamodb.UpdateItem LIVE#users",
    "ScoreMetrics cloudwatch.GetMetricData users",
    "ScoreMetrics cloudwatch.ListMetrics",
    "ScoreMetrics cloudwatch.PutMetricData Anomaly",
    "ScoreMetrics cloudwatch.PutMetricData LiveAnomaly",
    "ScoreMetrics dynamodb.DeleteItem EVENT",
    "ScoreMetrics dynamodb.PutItem EVENT",
    "ScoreMetrics dynamodb.Query DETECTOR",
    "ScoreMetrics dynamodb.Query EVENT",
    "ScoreMetrics dynamodb.Query SILENCE",
    "ScoreMetrics dynamodb.UpdateItem LIVE#users",
    "ScoreMetrics dynamodb.UpdateItem LIVE_BUCKET",
    "ScoreMetrics events.PutEvents",
    "ScoreMetrics lambda.Invoke",
    "ScoreMetrics s3.DeleteObject live/series/users",
    "ScoreMetrics s3.GetObject live/plan.json",
    "ScoreMetrics s3.GetObject live/plan/0000.json",
    "ScoreMetrics s3.GetObject live/series/users",
    "ScoreMetrics s3.GetObject live/state/0000",
    "ScoreMetrics s3.GetObject models/users",
    "ScoreMetrics s3.GetObject scores/users",
    "ScoreMetrics s3.PutObject live/plan.json",
    "ScoreMetrics s3.PutObject live/plan/0000.json",
    "ScoreMetrics s3.PutObject live/series/users",
    "ScoreMetrics s3.PutObject live/state/0000",
    "ScoreMetrics sns.Publish",
)
# Calls that are disturbed twice: where a run reads its state or writes it, also when an incident begins; both invocations.
_ALSO = {
    "ScoreMetrics s3.GetObject live/state/0000": 1,
    "ScoreMetrics s3.PutObject live/state/0000": 1,
    "ScoreMetrics lambda.Invoke": 1,
}
_FUNCTION = re.compile(r"/cutwatch(?:-live)?-([A-Za-z]+)-[0-9A-F]+$")
_OBJECT = re.compile(r"^((?:live/series|models|scores)/[^/]+)/.*$")
# Calls of the audit about claims, and the first one after it has claimed incidents; tests.faults has the others.
_AUDITS = re.compile(r" LIVE#|PutMetricData Anomaly$")
# The calls for one bucket and its detector stand for those of the other one.
_ALIKE = (("0001", "0000"), ("calm-q", "users"), ("GetMetricData calm", "GetMetricData users"))
# How often people and programs may be notified of a change where the function cannot know whether that worked.
_UNKNOWN = {"reset after": 4, "late": 2, "killed": 2, "denied": 2}


@dataclass(frozen=True)
class LiveCase:
    """One fault of one call: the first of its kind, or the last."""

    label: str
    occurrence: int
    kind: Kind

    @property
    def row(self) -> str:
        return f"live: {self.label} #{self.occurrence + 1}"

    @property
    def name(self) -> str:
        return f"{self.row} [{self.kind}]"

    @property
    def is_of_the_audit(self) -> bool:
        return self.label.startswith("PublishAnomalies")

    @property
    def fault(self) -> Fault:
        function, service, operation = re.split(r"[ .]", self.label)[:3]
        target = Target("transform", function, service, operation, self.occurrence, "", ())
        fault = fault_of(target, self.kind)
        return replace(fault, when=lambda parameters: label_of(function, service, operation, parameters) == self.label)  # fmt: skip


def label_of(function: str, service: str, operation: str, parameters: Any) -> str:
    """Return the name of a call: function, operation, and what it is about."""
    return f"{function} {service}.{operation} {_subject(service, operation, parameters)}".rstrip()


def labelled(calls: Iterable[Call]) -> Iterator[str]:
    """Yield the name of each call of live detection, and of the audit's calls about live incidents."""
    for call in calls:
        match = _FUNCTION.search(call.caller)
        if match is None or match[1] not in ("ScoreMetrics", "PublishAnomalies"):
            continue
        label = label_of(match[1], call.service, call.operation, call.parameters)
        for one, other in _ALIKE:
            label = label.replace(one, other)
        if match[1] == "ScoreMetrics" or _AUDITS.search(label):
            yield label


def _subject(service: str, operation: str, parameters: Any) -> str:
    if service == "s3":
        return _OBJECT.sub(r"\1", parameters["Key"])
    if service == "dynamodb":
        item = parameters.get("Key") or parameters.get("Item")
        return str(item["pk"]["S"] if item else parameters["ExpressionAttributeValues"][":pk"]["S"])
    if operation == "GetMetricData":
        return str(parameters["MetricDataQueries"][0]["MetricStat"]["Metric"]["MetricName"])
    if operation == "PutMetricData":
        return str(parameters["MetricData"][0]["MetricName"])
    return ""


def live_cases(shop: LiveShop) -> list[LiveCase]:
    """Every case, from the calls of an undisturbed run; raises an `AssertionError` for a call that is not listed."""
    shop.rewind()
    shop.run()
    counted = Counter(labelled(shop.calls()))
    assert sorted(counted) == sorted(LISTED), sorted(counted.keys() ^ set(LISTED))
    return [
        LiveCase(label, occurrence, kind)
        for label in LISTED
        for occurrence in sorted({0, _ALSO.get(label, 0)})
        for kind in KINDS
    ]


def problems(shop: LiveShop, case: LiveCase, expected: Standing) -> list[str]:
    """Run the scenario with a fault; return what differs from the undisturbed run."""
    shop.rewind()
    shop.aws.faults.add(case.fault)
    shop.run()
    shop.aws.faults.clear()
    if case.is_of_the_audit and case.kind == "denied":
        # The detector failed in this audit; live runs, or the next audit, make up for it.
        shop.audit_again()
        return [*_wrongly_told(case, shop.standing(), expected)]
    found = shop.standing()
    return [*_differences(found, expected), *_wrongly_told(case, found, expected)]


def _differences(found: Standing, expected: Standing) -> Iterator[str]:
    for name in ("states", "stored", "claims", "incidents", "scores", "audit"):
        own, wanted = getattr(found, name), getattr(expected, name)
        if own != wanted:
            yield f"{name}: {_difference(own, wanted)}"


def _difference(own: Any, wanted: Any) -> str:
    if not isinstance(own, dict):
        return f"{own} instead of {wanted}"
    differ = [each for each in own.keys() | wanted.keys() if own.get(each) != wanted.get(each)]
    return "; ".join(f"{key}: {own.get(key)} instead of {wanted.get(key)}" for key in differ)[:600]


def _wrongly_told(case: LiveCase, found: Standing, expected: Standing) -> Iterator[str]:
    """Nobody is notified twice, except where a function could not know that the first time had worked."""
    most = _UNKNOWN.get(case.kind, 1)
    if found.claims.keys() != expected.claims.keys():
        yield f"incidents {sorted(found.claims)} instead of {sorted(expected.claims)}"
    if found.told_twice > most - 1:
        yield f"{found.told_twice} incidents were mailed again"
    for what, times in expected.told.items():
        if not 0 < found.told[what] <= max(times, most * times):
            yield f"{what}: notified {found.told[what]} times, {times} without a fault"


def verdicts(
    shop: LiveShop, cases: list[LiveCase], numbers: Iterable[int], expected: Standing
) -> Iterator[Verdict]:
    """Judge cases one after the other."""
    for number in numbers:
        case = cases[number]
        try:
            found = tuple(problems(shop, case, expected))
        except Exception as error:  # noqa: BLE001 - a case that cannot be judged has not passed
            found = (f"{type(error).__name__}: {error}",)
        yield Verdict(number, case.row, case.kind, found)


def main() -> int:
    """Judge, tell progress, print the matrix; 1 if a case failed."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    started, done = time.monotonic(), list[Verdict]()
    with opened_live_shop() as shop:
        cases = live_cases(shop)
        expected = shop.standing()
        numbers = [number for number, case in enumerate(cases) if wanted in case.name]
        for verdict in verdicts(shop, cases, numbers, expected):
            done.append(verdict)
            if verdict.problems:
                print(cases[verdict.number].name, *verdict.problems, sep="\n  ", flush=True)
            if len(done) % 25 == 0:
                print(f"{len(done)} of {len(numbers)}", flush=True)
    print(shown(done))
    print(f"{time.monotonic() - started:.0f} s")
    return int(any(verdict.problems for verdict in done))


if __name__ == "__main__":
    sys.exit(main())
