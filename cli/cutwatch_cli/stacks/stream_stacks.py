"""Stacks of streams that join a base stack, recognised by their outputs."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from cutwatch.detectors.kafka_source import is_of_kafka, topics_of
from cutwatch_cli.stacks.account import Account
from cutwatch_cli.stacks.joined_stacks import JoinedStack, joined_stacks

# No other stack has all of them.
STREAM_OUTPUTS = frozenset(
    (
        "BaseStack",
        "CloseWindowsFunction",
        "FunctionsLogGroupName",
        "LostRecordsQueueUrl",
        "RejectedRecordsQueueUrl",
        "ScoreFunction",
        "StreamArn",
        "StreamName",
    )
)

_FUNCTIONS = ("ScoreFunction", "CloseWindowsFunction", "ReportFunction", "TrainFunction")


@dataclass(frozen=True)
class StreamStack(JoinedStack):
    """The stack of one stream."""

    @property
    def stream(self) -> str:
        """Name of the stream's entry in `detectors.yaml`."""
        return self.outputs["StreamName"]

    @property
    def is_of_kafka(self) -> bool:
        """True if the stream is in Kafka."""
        return is_of_kafka(self.source)

    @property
    def topics(self) -> tuple[str, ...]:
        """Kafka topics that the stack reads, none of another stream."""
        return topics_of(self.source) if self.is_of_kafka else ()

    @property
    def source(self) -> str:
        """ARN of the stream, or `kafka:` and its topics."""
        return self.outputs["StreamArn"]

    @property
    def functions(self) -> tuple[str, ...]:
        """Names of the scoring function, of the function that closes windows, and of a log's others."""
        return tuple(self.outputs[name] for name in _FUNCTIONS if name in self.outputs)

    @property
    def longest_wait(self) -> int:
        """Age of records in seconds that raises the alarm of a Kinesis stream's stack."""
        return int(self.parameters["IteratorAgeAlarmSeconds"])

    @property
    def most_waiting(self) -> int:
        """Number of waiting records that raises the alarm of a Kafka stream's stack."""
        return int(self.parameters["OffsetLagAlarmRecords"])


_Stack = TypeVar("_Stack", bound=StreamStack)


def stream_stacks(account: Account, base: str) -> list[StreamStack]:
    """Return the region's stream stacks that join a base stack, in the order of their streams."""
    return in_order(joined_stacks(account, base, STREAM_OUTPUTS, StreamStack))


def in_order(stacks: Iterable[_Stack]) -> list[_Stack]:
    """Return stacks in the order of their entries."""
    return sorted(stacks, key=lambda each: (each.stream, each.name))
