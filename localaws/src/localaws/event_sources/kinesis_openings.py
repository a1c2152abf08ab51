"""Opening a stream of Kinesis as the source of a mapping, or refusing to."""

from collections.abc import Callable, Mapping
from typing import Any

from localaws.api_response import ApiError
from localaws.event_sources.filters import kinesis_view
from localaws.event_sources.kinesis_source import KinesisSource
from localaws.event_sources.requests import destination_of, refused
from localaws.event_sources.source import Start
from localaws.event_sources.source_mapping import Opening
from localaws.iam.needs import Need
from localaws.iam.permissions import AccessDenied, Permissions, role_name
from localaws.kinesis.service import Kinesis

_ACTIONS = (
    "GetRecords",
    "GetShardIterator",
    "DescribeStream",
    "DescribeStreamSummary",
    "ListShards",
)
_SENDING = {"sqs": ("SendMessage", "SQS"), "sns": ("Publish", "SNS")}


class KinesisOpenings:
    """`client_of` returns a client of a role, by the role's ARN and the service's name."""

    def __init__(
        self, kinesis: Kinesis, permissions: Permissions, client_of: Callable[[str, str], Any]
    ) -> None:
        self._kinesis = kinesis
        self._permissions = permissions
        self._client_of = client_of

    def open(self, record: Mapping[str, Any], role: str) -> Opening:
        """Check that a function's role may do what the mapping does in its name, and find where reading starts."""
        self._permissions.forget()
        arn = record["EventSourceArn"]
        self._check_reading(arn, role)
        self._check_sending(destination_of(record), role)
        first, default = self._starts(arn, record)
        return Opening(
            source=KinesisSource(arn, lambda: self._client_of(role, "kinesis"), lambda: role),
            view=kinesis_view,
            first=first,
            default=default,
            client=lambda service: self._client_of(role, service),
        )

    def _starts(self, arn: str, record: Mapping[str, Any]) -> tuple[Mapping[str, Start], Start]:
        """LATEST is the end of the shards that there are now; a shard that is born later is read from its beginning."""
        try:
            newest = self._kinesis.positions(arn)
        except ApiError:
            raise refused(f"Stream not found: {arn}") from None
        if record["StartingPosition"] == "LATEST":
            return {shard: Start(after=number) for shard, number in newest.items()}, Start()
        if record["StartingPosition"] == "AT_TIMESTAMP":
            return {}, Start(moment=float(record["StartingPositionTimestamp"]))
        return {}, Start()

    def _check_reading(self, arn: str, role: str) -> None:
        try:
            for action in _ACTIONS:
                self._permissions.demand(role_name(role), Need(f"kinesis:{action}", arn))
        except AccessDenied:
            raise refused(
                f"Cannot access stream {arn}. Please ensure the role can perform the GetRecords, "
                "GetShardIterator, DescribeStream, and ListStreams Actions on your stream in IAM."
            ) from None

    def _check_sending(self, destination: str | None, role: str) -> None:
        if destination is None:
            return
        service = destination.split(":")[2] if destination.count(":") >= 5 else ""
        if service not in _SENDING:
            raise refused(
                f"The local AWS does not implement the on-failure destination {destination}: "
                "it has queues and topics"
            )
        action, called = _SENDING[service]
        try:
            self._permissions.demand(role_name(role), Need(f"{service}:{action}", destination))
        except AccessDenied:
            raise refused(
                f"The provided execution role does not have permissions to call {action} on {called}"
            ) from None
