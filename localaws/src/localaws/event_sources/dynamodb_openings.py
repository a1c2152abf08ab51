"""Opening the stream of a DynamoDB table as the source of a mapping, or refusing to."""

from collections.abc import Callable, Mapping
from typing import Any

from localaws.clock import Clock
from localaws.embedded_ministack import account_scope, service
from localaws.event_sources.dynamodb_source import SHARD_SECONDS, DynamoDBSource, shard_id
from localaws.event_sources.requests import destination_of, refused
from localaws.event_sources.sending import check_sending
from localaws.event_sources.source import Start
from localaws.event_sources.source_mapping import Opening
from localaws.iam.needs import Need
from localaws.iam.permissions import AccessDenied, Permissions, role_name

_ACTIONS = ("GetRecords", "GetShardIterator", "DescribeStream", "ListStreams")


class DynamoDBOpenings:
    """`client_of` returns a client of a role, by the role's ARN and the service's name."""

    def __init__(
        self,
        region: str,
        clock: Clock,
        permissions: Permissions,
        client_of: Callable[[str, str], Any],
    ) -> None:
        self._region = region
        self._clock = clock
        self._permissions = permissions
        self._client_of = client_of

    def open(self, record: Mapping[str, Any], role: str) -> Opening:
        """Check that a function's role may do what the mapping does in its name, and find where reading starts."""
        self._permissions.forget()
        arn = record["EventSourceArn"]
        self._check_reading(arn, role)
        check_sending(self._permissions, destination_of(record), role)
        return Opening(
            source=DynamoDBSource(
                arn, lambda: self._client_of(role, "dynamodbstreams"), self._clock
            ),
            view=lambda event: event,
            first=self._first(arn, record),
            default=Start(),
            client=lambda name: self._client_of(role, name),
        )

    def _first(self, arn: str, record: Mapping[str, Any]) -> Mapping[str, Start]:
        """LATEST is the end of the newest shard that there is now; later shards are read from their beginning."""
        table = arn.split("/")[1]
        with account_scope(self._region):
            found = service("dynamodb")._tables.get(table)
            records = service("dynamodb").stream_live_records(table)
        if found is None or found.get("LatestStreamArn") != arn:
            raise refused(f"Stream not found: {arn}")
        if record["StartingPosition"] == "AT_TIMESTAMP":
            raise refused("Unsupported starting position for stream type: AT_TIMESTAMP")
        if record["StartingPosition"] == "TRIM_HORIZON" or not records:
            return {}
        window = int(self._clock.now().timestamp()) // SHARD_SECONDS
        newest = Start(after=records[-1]["dynamodb"]["SequenceNumber"])
        return {shard_id(each): newest for each in range(window - 6, window + 1)}

    def _check_reading(self, arn: str, role: str) -> None:
        try:
            for action in _ACTIONS:
                self._permissions.demand(role_name(role), Need(f"dynamodb:{action}", arn))
        except AccessDenied:
            raise refused(
                f"Cannot access stream {arn}. Please ensure the role can perform the GetRecords, "
                "GetShardIterator, DescribeStream, and ListStreams Actions on your stream in IAM."
            ) from None
