"""Stacks of streams that join a base stack, recognised by their outputs."""

from dataclasses import dataclass

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


@dataclass(frozen=True)
class StreamStack(JoinedStack):
    """The stack of one stream."""

    @property
    def stream(self) -> str:
        """Name of the stream's entry in `detectors.yaml`."""
        return self.outputs["StreamName"]

    @property
    def functions(self) -> tuple[str, str]:
        """Names of the scoring function and of the function that closes windows."""
        return self.outputs["ScoreFunction"], self.outputs["CloseWindowsFunction"]

    @property
    def longest_wait(self) -> int:
        """Age of records in seconds that raises the stack's alarm."""
        return int(self.parameters["IteratorAgeAlarmSeconds"])


def stream_stacks(account: Account, base: str) -> list[StreamStack]:
    """Return the region's stream stacks that join a base stack, in the order of their streams."""
    found = joined_stacks(account, base, STREAM_OUTPUTS, StreamStack)
    return sorted(found, key=lambda each: (each.stream, each.name))
