"""The registry: one DynamoDB table, a store for each kind of record."""

from typing import TYPE_CHECKING

from cutwatch.aws.dynamodb import Table
from cutwatch.registry.band_store import BandStore
from cutwatch.registry.bucket_turns import BucketTurns
from cutwatch.registry.detector_store import DetectorStore
from cutwatch.registry.event_store import EventStore
from cutwatch.registry.incident_claims import IncidentClaimStore
from cutwatch.registry.notification_store import NotificationStore
from cutwatch.registry.outcome_store import OutcomeStore
from cutwatch.registry.quota_wait_store import QuotaWaitStore
from cutwatch.registry.run_store import RunStore
from cutwatch.registry.silence_store import SilenceStore

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class Registry:
    """The stores of a table, which a DynamoDB client reaches."""

    def __init__(self, dynamodb: "DynamoDBClient", table_name: str) -> None:
        table = Table(dynamodb, table_name)
        self.detectors = DetectorStore(table)
        self.runs = RunStore(table)
        self.notifications = NotificationStore(table)
        self.outcomes = OutcomeStore(table)
        self.events = EventStore(table)
        self.claims = IncidentClaimStore(table)
        self.bands = BandStore(table)
        self.bucket_turns = BucketTurns(table)
        self.silences = SilenceStore(table)
        self.quota_waits = QuotaWaitStore(table)
