"""A deployed stack, read from CloudFormation."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Any

from botocore.exceptions import ClientError

from cutwatch.aws.dynamodb import Table
from cutwatch.aws.s3 import Bucket
from cutwatch.registry.registry import Registry
from cutwatch.registry.run import Kind
from cutwatch_cli.stacks.account import Account, error_code, time_of
from cutwatch_cli.stacks.durations import longest_gap
from cutwatch_cli.stacks.refusal import Refused
from cutwatch_cli.stacks.stack_name import DeployConfig, candidates, only_stack

# In other states, outputs may name resources that an update is replacing.
COMPLETE = (
    "CREATE_COMPLETE",
    "IMPORT_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_ROLLBACK_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
)


@dataclass(frozen=True)
class Deployment:
    """A stack's account, outputs and parameters, and the account's time: the local AWS has a clock of its own."""

    account: Account
    stack: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]
    now: datetime

    @property
    def registry(self) -> Registry:
        """The stack's registry."""
        return Registry(self.account.client("dynamodb"), self._output("RegistryTableName"))

    @property
    def table(self) -> Table:
        """The registry's table."""
        return Table(self.account.client("dynamodb"), self._output("RegistryTableName"))

    @property
    def bucket(self) -> Bucket:
        """The stack's bucket."""
        return Bucket(self.account.client("s3"), self._output("DataBucketName"))

    @property
    def log_group(self) -> str:
        """The log group of all functions."""
        return self._output("FunctionsLogGroupName")

    @property
    def namespace(self) -> str:
        """The CloudWatch namespace of published anomalies."""
        return self._output("AnomalyNamespace")

    @property
    def schedules_enabled(self) -> bool:
        """True if schedules start runs."""
        return self._output("ScheduleState") != "DISABLED"

    @property
    def architecture(self) -> str:
        """Processor of the functions."""
        return self.parameters["Architecture"]

    @property
    def data_delay(self) -> timedelta:
        """Time between the end of a transform's window and its scheduled time."""
        return timedelta(minutes=int(self._output("DataDelayMinutes")))

    @property
    def stale_after(self) -> timedelta:
        """Age of a watermark that two transforms should have moved."""
        return 2 * longest_gap(self._output("TransformSchedule")) + self.data_delay

    def state_machine(self, kind: Kind) -> str:
        """Return the ARN of the training or the transform state machine."""
        return self._output(f"{kind.capitalize()}StateMachineArn")

    def _output(self, name: str) -> str:
        if name not in self.outputs:
            raise Refused(
                f"stack {self.stack!r} has no output {name}; is it a Cutwatch stack of this version?"
            )
        return self.outputs[name]


def find_deployment(
    account: Account, named: str | None, config: DeployConfig | None = None
) -> Deployment:
    """Find the named stack, that of the configuration file, or the region's only one. Raises `Refused`.

    The stack must be completely deployed.
    """
    stack = named or (config.stack if config else only_stack(account))
    source = "" if named or not config else f", which {config.file} names,"
    described, now = _described(account, stack, source)
    status = described["StackStatus"]
    if status not in COMPLETE:
        reason = described.get("StackStatusReason")
        raise Refused(
            f"stack {stack!r} is {status}, not completely deployed{f': {reason}' if reason else ''}"
        )
    return Deployment(
        account,
        stack,
        {each["OutputKey"]: each["OutputValue"] for each in described.get("Outputs", [])},
        {each["ParameterKey"]: each["ParameterValue"] for each in described.get("Parameters", [])},
        now,
    )


def _described(account: Account, stack: str, source: str) -> tuple[Any, datetime]:
    try:
        answer = account.client("cloudformation").describe_stacks(StackName=stack)
        return answer["Stacks"][0], time_of(answer)
    except ClientError as error:
        if error_code(error) == "ValidationError" and "does not exist" in str(error):
            raise Refused(
                f"no stack {stack!r}{source} in region {account.region}; are --stack, --region and --profile "
                f"right?{candidates(account)}"
            ) from None
        raise


def check_known(
    names: Iterable[str], known: Iterable[str], *, kind: str = "detector", hint: str = ""
) -> None:
    """Raise `Refused` for the first unknown name, with the closest known name."""
    candidates = sorted(known)
    for name in names:
        if name not in candidates:
            near = get_close_matches(name, candidates, n=1)
            suggestion = f"; did you mean {near[0]!r}?" if near else ""
            raise Refused(f"no {kind} {name!r}{suggestion}{hint}")
