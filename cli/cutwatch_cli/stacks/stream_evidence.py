"""Evidence of how a stream's stack works: its event source mappings, its functions' metrics, its queues."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from cutwatch.detectors.detector import Detector
from cutwatch.errors import CutwatchError
from cutwatch.timeseries.reader import read_many
from cutwatch.timeseries.series import Series
from cutwatch_cli.stacks.account import Account
from cutwatch_cli.stacks.published_datapoints import TranslatingCloudWatch
from cutwatch_cli.stacks.stream_stacks import StreamStack

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

# Failures and waiting records of this time count as present.
RECENTLY = timedelta(minutes=15)
# States of a mapping that reads, or is about to.
READING = ("Creating", "Enabled", "Enabling", "Updating")
# Lambda's results of a mapping that failed begin with this word.
PROBLEM = "PROBLEM"
_PERIOD = timedelta(minutes=1)
_WAITING = "ApproximateNumberOfMessages"
_METRICS = (("IteratorAge", "Maximum"), ("OffsetLag", "Maximum"), ("Errors", "Sum"))

# Values by function and metric.
Metrics = Mapping[tuple[str, str], Sequence[float]]


@dataclass(frozen=True)
class StreamEvidence:
    """State and last result of the mapping, both empty without one, and the numbers of recent minutes.

    With several mappings, `mapping` is a state that does not read, and `result` a problem, if there is one. `unread` counts the
    Kafka topics without a mapping. `waited` is the largest age of records when they were read, `lag` the largest number that waits in
    a Kafka topic; `failures` are by function.
    """

    mapping: str = ""
    result: str = ""
    unread: int = 0
    waited: timedelta = timedelta()
    lag: int = 0
    failures: Mapping[str, int] = field(default_factory=dict)
    lost: int = 0
    rejected: int = 0


def read_evidence(
    account: Account, stacks: Sequence[StreamStack], now: datetime
) -> dict[str, StreamEvidence]:
    """Read the evidence of stream stacks, by stack."""
    metrics = _metrics(account, stacks, now)
    return {stack.name: _evidence(account, stack, metrics) for stack in stacks}


def _evidence(account: Account, stack: StreamStack, metrics: Metrics) -> StreamEvidence:
    scoring = stack.functions[0]
    found = account.client("lambda").list_event_source_mappings(FunctionName=scoring)
    mappings: Any = found["EventSourceMappings"]
    return StreamEvidence(
        mapping=_worst((each.get("State", "") for each in mappings), _reads),
        result=_worst((each.get("LastProcessingResult", "") for each in mappings), _succeeds),
        unread=max(len(stack.topics) - len(mappings), 0),
        waited=timedelta(milliseconds=max(metrics[scoring, "IteratorAge"], default=0.0)),
        lag=int(next(reversed(metrics[scoring, "OffsetLag"]), 0)),
        failures={
            function: failures
            for function in stack.functions
            if (failures := int(sum(metrics[function, "Errors"])))
        },
        lost=_waiting(account, stack.outputs["LostRecordsQueueUrl"]),
        rejected=_waiting(account, stack.outputs["RejectedRecordsQueueUrl"]),
    )


def _reads(state: str) -> bool:
    return state in READING


def _succeeds(result: str) -> bool:
    return not result.startswith(PROBLEM)


def _worst(values: Iterable[str], is_well: Callable[[str], bool]) -> str:
    """Return the first value that is not well, or else the first; empty if there is none."""
    return next(iter(sorted(values, key=is_well)), "")


def _metrics(account: Account, stacks: Sequence[StreamStack], now: datetime) -> Metrics:
    """Read the recent datapoints of every function's metrics."""
    wanted = [
        (function, metric, statistic)
        for stack in stacks
        for function in stack.functions
        for metric, statistic in _METRICS
    ]
    found = read_many(
        cast("CloudWatchClient", TranslatingCloudWatch(account.client("cloudwatch"))),
        [_metric(str(number), *each) for number, each in enumerate(wanted)],
        now - RECENTLY,
        now + _PERIOD,
    )
    return {
        (function, metric): _numbers(found[str(number)])
        for number, (function, metric, _) in enumerate(wanted)
    }


def _metric(name: str, function: str, metric: str, statistic: str) -> Detector:
    return Detector(
        name=name,
        namespace="AWS/Lambda",
        metric=metric,
        statistic=statistic,
        dimensions={"FunctionName": function},
        period=int(_PERIOD.total_seconds()),
    )


def _numbers(found: Series | CutwatchError) -> list[float]:
    if isinstance(found, CutwatchError):
        raise found
    return [float(value) for value in found.values if np.isfinite(value)]


def _waiting(account: Account, queue: str) -> int:
    answer = account.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=[_WAITING])
    return int(answer["Attributes"][_WAITING])
