"""The cases of the matrix: every distinct call with every fault of AWS's, every job with every bad end."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from localaws import Fault
from localaws.stacks import ExecutionResult
from tests.faults.calls import Target
from tests.faults.shop import FIRST, JOBS, Scenario, Shop

Kind = Literal[
    "throttled", "server error", "reset before", "reset after", "denied", "late", "killed"
]
KINDS: tuple[Kind, ...] = (
    "throttled",
    "server error",
    "reset before",
    "reset after",
    "denied",
    "late",
    "killed",
)
# Step Functions itself is no function that could be killed, or that anybody waits for.
_OF_FUNCTIONS = ("late", "killed")
# As often as botocore asks, so that each fault is the function's to report and the state machine's to deal with.
_ATTEMPTS = 3
_THROTTLED = {
    "s3": "SlowDown",
    "dynamodb": "ProvisionedThroughputExceededException",
    "sns": "ThrottledException",
    "lambda": "TooManyRequestsException",
    "kinesis": "ProvisionedThroughputExceededException",
}
_SERVER_ERRORS = {
    "s3": "InternalError",
    "dynamodb": "InternalServerError",
    "cloudwatch": "InternalServiceFault",
    "sagemaker": "InternalFailure",
    "sagemaker-runtime": "InternalFailure",
    "sns": "InternalError",
    "events": "InternalException",
    "kinesis": "InternalFailure",
    "lambda": "ServiceException",
    "application-autoscaling": "InternalServiceException",
    "glue": "InternalServiceException",
    "sqs": "InternalError",
    "stepfunctions": "InternalServerError",
}
# Step Functions tells a denial here by the name that other troubles have too, so that it is retried as they are.
_DENIALS = {("States", "s3"): 4, ("States", "stepfunctions"): 6}
# A limit smaller than the request: waiting for others to end changes nothing.
_NEVER = (
    "The account-level service limit 'ml.m5.large for training job usage' is 0 Instances, with current utilization of 0 "
    "Instances and a request delta of 1 Instances. Please use AWS Service Quotas to request an increase for this quota."
)
_DENIED = {"s3": "AccessDenied", "cloudwatch": "AccessDenied", "sns": "AuthorizationError"}


@dataclass(frozen=True)
class Case:
    """One thing that goes wrong in one run. `says` is what the reason must name; empty for what must leave no trace.

    `judge` replaces the usual judgement: it yields what is wrong after the run.
    """

    scenario: Scenario
    row: str
    column: str
    detectors: tuple[str, ...]
    says: str
    arrange: Callable[[Shop], None]
    target: Target | None = None
    judge: Callable[[Shop, ExecutionResult], Iterator[str]] | None = None

    @property
    def name(self) -> str:
        return f"{self.scenario}: {self.row} [{self.column}]"


def call_cases(targets: Iterable[Target]) -> Iterator[Case]:
    """Every call with every fault of AWS's that can befall it."""
    for target in targets:
        for kind in KINDS:
            if kind in _OF_FUNCTIONS and not target.has_function:
                continue
            yield Case(
                target.scenario,
                f"{target.label} #{target.occurrence + 1}",
                kind,
                target.detectors,
                "AccessDenied" if kind == "denied" else "",
                _adding(fault_of(target, kind)),
                target,
            )


def fault_of(target: Target, kind: Kind) -> Fault:
    """The fault of this kind that hits this call, until botocore gives up on it."""
    often = 1 if target.caller == "States" else _ATTEMPTS
    details: Mapping[Kind, dict[str, Any]] = {
        "throttled": {
            "error": _THROTTLED.get(target.service, "ThrottlingException"),
            "status": 503 if target.service == "s3" else 400,
            "times": often,
        },
        "server error": {"error": _SERVER_ERRORS[target.service], "status": 500, "times": often},
        "reset before": {"reset": "before", "times": often},
        "reset after": {"reset": "after", "times": often},
        "denied": {
            "error": _DENIED.get(target.service, "AccessDeniedException"),
            "status": 403,
            "times": _DENIALS.get((target.caller, target.service), 1),
        },
        "late": {"ends": "timed out", "times": 1},
        "killed": {"ends": "killed", "times": 1},
    }
    caller = "states.amazonaws.com" if target.caller == "States" else f"*/*-{target.caller}-*"
    return Fault(
        target.service,
        target.operation,
        caller=caller,
        skip=target.occurrence,
        **details[kind],
    )


def job_cases() -> Iterator[Case]:
    """What befalls SageMaker's jobs, and the states of forests inside Lambda."""
    for scenario, number, job in (
        ("training", 0, "training job"),
        ("training", 1, "scoring job"),
        ("transform", 0, "transform job"),
    ):
        for befalls, says in _ends_of(job).items():
            yield Case(
                "training" if scenario == "training" else "transform",
                job,
                befalls,
                (JOBS,),
                says,
                _befalling(befalls, number),
            )
    for operation, scenario_of in (
        ("CreateTrainingJob", "training"),
        ("CreateTransformJob", "transform"),
    ):
        refused = Fault("sagemaker", operation, error="ResourceLimitExceeded", times=4)
        at: Scenario = "training" if scenario_of == "training" else "transform"
        yield Case(at, operation, "quota refused", (JOBS,), "", _adding(refused))
        never = Fault(
            "sagemaker", operation, error="ResourceLimitExceeded", message=_NEVER, times=1
        )
        yield Case(at, operation, "quota never", (JOBS,), "QuotaTooSmall", _adding(never))
    for column, content in (("missing", None), ("malformed", b"no state")):
        yield Case(
            "transform", "forest's state", column, (FIRST,), "ModelMissing", _with_state(content)
        )


def _ends_of(job: str) -> dict[str, str]:
    failed = {
        "fail": "AlgorithmError",
        "run_out_of_capacity": "CapacityError",
        "stop": "ended Stopped",
        "hang": "was still InProgress at its deadline",
    }
    if job == "training job":
        return failed | {"lose_output": "Could not", "garble_output": "TransformJobFailed"}
    return failed | {
        "lose_output": "MalformedScores: the transform job wrote no",
        "shorten_output": "MalformedScores",
        "garble_output": "MalformedScores",
    }


def _adding(fault: Fault) -> Callable[[Shop], None]:
    return lambda shop: shop.fleet.aws.faults.add(fault)


def _befalling(befalls: str, number: int) -> Callable[[Shop], None]:
    def arrange(shop: Shop) -> None:
        passed = iter(range(number))
        getattr(shop.fleet.aws.sagemaker, befalls)(lambda _: next(passed, None) is None, times=1)

    return arrange


def _with_state(content: bytes | None) -> Callable[[Shop], None]:
    def arrange(shop: Shop) -> None:
        record = shop.fleet.registry.detectors.get(FIRST)
        shop.change_object(record.checkpoint_of(record.models[0]) or "", content)

    return arrange
