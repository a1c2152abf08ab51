"""Stacks of watched tables that join a base stack, recognised by their outputs."""

from dataclasses import dataclass

from cutwatch_cli.stacks.account import Account
from cutwatch_cli.stacks.joined_stacks import joined_stacks
from cutwatch_cli.stacks.stream_stacks import StreamStack, in_order

# No other stack has all of them.
TABLE_OUTPUTS = frozenset(
    (
        "BaseStack",
        "CloseIncidentsFunction",
        "FunctionsLogGroupName",
        "LostRecordsQueueUrl",
        "RejectedRecordsQueueUrl",
        "ScoreFunction",
        "WatchedTable",
    )
)


@dataclass(frozen=True)
class TableStack(StreamStack):
    """The stack of one watched table, which is read as a stream of its changes."""

    @property
    def stream(self) -> str:
        """Name of the table's entry in `detectors.yaml`."""
        return self.outputs["WatchedTable"]

    @property
    def source(self) -> str:
        """ARN of the table."""
        return self.parameters["SourceTableArn"]

    @property
    def functions(self) -> tuple[str, ...]:
        """Names of the scoring function and of the function that ends incidents."""
        return self.outputs["ScoreFunction"], self.outputs["CloseIncidentsFunction"]

    @property
    def endpoint(self) -> str:
        """Name of the SageMaker endpoint, empty if forests score the changes."""
        return self.outputs.get("EndpointName", "")

    @property
    def state_machine(self) -> str:
        """ARN of the state machine that trains and deploys, empty without an endpoint."""
        return self.outputs.get("EndpointStateMachineArn", "")


def table_stacks(account: Account, base: str) -> list[TableStack]:
    """Return the region's stacks of watched tables that join a base stack, in the order of the tables."""
    return in_order(joined_stacks(account, base, TABLE_OUTPUTS, TableStack))
