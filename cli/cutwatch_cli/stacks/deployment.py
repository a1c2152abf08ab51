"""A stack that is deployed in somebody's account, found by what CloudFormation says of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from typing import Any

from botocore.exceptions import ClientError

from cutwatch.aws.s3 import Bucket
from cutwatch.registry.registry import Registry
from cutwatch.registry.run import Kind
from cutwatch_cli.stacks.account import Account, error_code
from cutwatch_cli.stacks.durations import longest_gap

# In these, the outputs are those of a whole stack. While an update runs they may name what it replaces.
_WHOLE = (
    "CREATE_COMPLETE",
    "IMPORT_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_ROLLBACK_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
)


class Refused(Exception):
    """What was asked cannot be done; the text is the one line that the operator reads."""


@dataclass(frozen=True)
class Deployment:
    """The stack's outputs, and the account that it is in."""

    account: Account
    stack: str
    outputs: Mapping[str, str]

    @property
    def registry(self) -> Registry:
        """The stack's table."""
        return Registry(self.account.client("dynamodb"), self._output("RegistryTableName"))

    @property
    def bucket(self) -> Bucket:
        """The stack's bucket."""
        return Bucket(self.account.client("s3"), self._output("DataBucketName"))

    @property
    def log_group(self) -> str:
        """Where all functions log."""
        return self._output("FunctionsLogGroupName")

    @property
    def namespace(self) -> str:
        """Where anomalies are published."""
        return self._output("AnomalyNamespace")

    @property
    def schedules_enabled(self) -> bool:
        """Whether runs start by themselves."""
        return self._output("ScheduleState") != "DISABLED"

    @property
    def data_delay(self) -> timedelta:
        """How long before its scheduled time a transform's window ends."""
        return timedelta(minutes=int(self._output("DataDelayMinutes")))

    @property
    def stale_after(self) -> timedelta:
        """How old a watermark is once two transforms should have moved it."""
        return 2 * longest_gap(self._output("TransformSchedule")) + self.data_delay

    def state_machine(self, kind: Kind) -> str:
        """The ARN of what trains or transforms."""
        return self._output(f"{kind.capitalize()}StateMachineArn")

    def _output(self, name: str) -> str:
        if name not in self.outputs:
            raise Refused(
                f"stack {self.stack!r} has no output {name}; is it a stack of this version of Cutwatch?"
            )
        return self.outputs[name]


def find_deployment(account: Account, stack: str) -> Deployment:
    """The stack of this name in the account's region, if it is whole."""
    described = _described(account, stack)
    status = described["StackStatus"]
    if status not in _WHOLE:
        reason = described.get("StackStatusReason")
        raise Refused(
            f"stack {stack!r} is {status}, not wholly deployed{f': {reason}' if reason else ''}"
        )
    return Deployment(
        account,
        stack,
        {each["OutputKey"]: each["OutputValue"] for each in described.get("Outputs", [])},
    )


def _described(account: Account, stack: str) -> Any:
    try:
        return account.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if error_code(error) == "ValidationError" and "does not exist" in str(error):
            raise Refused(
                f"no stack {stack!r} in region {account.region}; are --stack, --region and --profile right?"
            ) from None
        raise


def check_known(
    names: Iterable[str], known: Iterable[str], *, what: str = "detector", hint: str = ""
) -> None:
    """Refuse the first name that is not known, with the nearest one that is."""
    candidates = sorted(known)
    for name in names:
        if name not in candidates:
            near = get_close_matches(name, candidates, n=1)
            suggestion = f"; did you mean {near[0]!r}?" if near else ""
            raise Refused(f"no {what} {name!r}{suggestion}{hint}")
