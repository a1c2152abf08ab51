"""A watched table of either engine, the changes of one scenario, and what they leave behind."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cutwatch.aws.dynamodb import Table
from cutwatch.delivery.incident_store import IncidentStore
from cutwatch.detectors.watched_table import WatchedTable
from cutwatch.streams.scoring import SILENT_SECONDS
from cutwatch_cli.tables.application import WatchedApplication, watched_application
from localaws import LocalAws
from localaws.ministack_patches.mails import Mail
from tests.support.glue_rows import rows_without_spark
from tests.support.streams import comparable_bucket
from tests.support.table_application import (
    DECLARATION,
    ENDPOINT_SECONDS,
    FORESTS,
    CutoffWatch,
    items,
)
from tests.support.watched_tables import stream_record

TABLE = WatchedTable("taxi", "rides", {"ridecount": "ridecount"})
START = datetime(2026, 11, 2, tzinfo=UTC)
# A mapping delivers a batch again until it is scored.
_MOST_DELIVERIES = 15
# When the function that closes incidents runs, in seconds after the changes.
_CLOSINGS = (60, SILENT_SECONDS + 60, SILENT_SECONDS + 120)
# Sequence numbers of a scenario's changes are below this.
_NUMBERS = 1_000
_PREFIX = "tables/taxi/"


@dataclass(frozen=True)
class Outcome:
    """What a scenario left: stored states, incidents with what was notified, mails, rejected changes, whether it ended."""

    states: Mapping[str, Any]
    incidents: Mapping[str, tuple[bool, frozenset[str]]]
    mails: Mapping[str, int]
    rejected: tuple[int, ...]
    is_scored: bool


@dataclass
class TableShop:
    """A deployed table; `before` has the objects of its state before the scenario."""

    application: WatchedApplication
    watch: CutoffWatch
    before: dict[str, bytes] = field(default_factory=dict)
    is_scored: bool = False
    _runs: int = 0
    _mails: list[Mail] = field(default_factory=list)

    @property
    def aws(self) -> LocalAws:
        return self.application.aws

    def rewind(self) -> None:
        """Forget incidents, mails and messages, and go back to the states and the time before the scenario."""
        aws = self.aws
        aws.faults.clear()
        aws.cool_down()
        aws.clock.move_to(START)
        for key in self._objects():
            self._s3.delete_object(Bucket=self._bucket, Key=key)
        for key, content in self.before.items():
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=content)
        for item in (*self._table.query("INCIDENT"), *self._table.query("STREAM#taxi")):
            self._table.delete(item["pk"], item["sk"])
        self.application.client("sqs").purge_queue(QueueUrl=self._rejected_url)
        self._mails.clear()
        aws.mails.listener = self._mails.append

    def remember(self) -> None:
        """Take the present states for those before every scenario."""
        self.before = self._objects()

    def run(self) -> None:
        """Deliver normal changes, an incident and an item without a row; then a higher value; then be silent."""
        at = START.timestamp()
        # A queue drops a message that it has seen in the last five minutes, and time goes back here.
        self._runs += 1
        broken = _NUMBERS * self._runs + 3
        self.is_scored = self._deliver(
            stream_record(1_000, 1, item="a", at=at),
            stream_record(9_000, 2, item="b", at=at),
            stream_record({"S": "many"}, broken, item="c", at=at),
        ) and self._deliver(
            stream_record(9_500, 4, item="d", at=at + 1),
            stream_record(1_001, 5, item="e", at=at + 1),
        )
        for seconds in _CLOSINGS:
            self.aws.clock.move_to(START + timedelta(seconds=seconds))
            self._invoke(self.application.stack.outputs["CloseIncidentsFunction"], {})

    def outcome(self) -> Outcome:
        store = IncidentStore(self._table)
        found = store.between(START - timedelta(days=1), self.aws.clock.now())
        subjects = [each.subject for each in self._mails if "NotificationTopic" in each.topic]
        return Outcome(
            {key: _comparable(key, content) for key, content in self._objects().items()},
            {each.incident.id: (each.ended, each.notified) for each in found},
            Counter(subjects),
            tuple(sorted(self._rejected())),
            self.is_scored,
        )

    def _deliver(self, *records: dict[str, Any]) -> bool:
        """Score changes as a mapping does; return whether all were in the end."""
        left = list(records)
        for _ in range(_MOST_DELIVERIES):
            answer = self._invoke(
                self.application.stack.outputs["ScoreFunction"], {"Records": left}
            )
            if answer is None:
                continue
            if not answer["batchItemFailures"]:
                return True
            first = answer["batchItemFailures"][0]["itemIdentifier"]
            numbers = [each["dynamodb"]["SequenceNumber"] for each in left]
            left = left[numbers.index(first) :]
        return False

    def _invoke(self, function: str, event: Mapping[str, Any]) -> Any:
        """Return a function's answer, None if it failed."""
        try:
            return self.application.invoke(function, event)
        except RuntimeError:
            return None

    def _rejected(self) -> list[int]:
        answer = self.application.client("sqs").receive_message(QueueUrl=self._rejected_url, MaxNumberOfMessages=10)  # fmt: skip
        return [int(json.loads(each["Body"])["sequence_number"]) % _NUMBERS for each in answer.get("Messages", [])]  # fmt: skip

    def _objects(self) -> dict[str, bytes]:
        listed = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=_PREFIX).get("Contents", [])
        keys = [each["Key"] for each in listed]
        return {key: self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read() for key in keys}  # fmt: skip

    @property
    def _s3(self) -> Any:
        return self.application.client("s3")

    @property
    def _bucket(self) -> str:
        return self.application.base.outputs["DataBucketName"]

    @property
    def _rejected_url(self) -> str:
        return self.application.stack.outputs["RejectedRecordsQueueUrl"]

    @property
    def _table(self) -> Table:
        return Table(self.application.client("dynamodb"), self.application.base.outputs["RegistryTableName"])  # fmt: skip


def _comparable(key: str, content: bytes) -> Any:
    """Return an object of a table's state in a form in which equal ones are equal, whatever the number of the rejected change."""
    if key.endswith(".json"):
        return json.loads(content)
    if key.endswith("/state"):
        state = json.loads(content.partition(b"\n")[2])
        return state | {"applied": sorted(state["applied"].values())}
    header = json.loads(content.split(b"\n", maxsplit=2)[1])
    # The length of the changes, without their checksum.
    return (*comparable_bucket(content), header["outbox"], content[-12:-4])


@contextmanager
def opened_table_shop(engine: str, preparation: str = "lambda") -> Iterator[TableShop]:
    """Deploy a table with an engine; its first items are learned, or prepared and trained on."""
    declaration = FORESTS if engine == "forest" else DECLARATION
    parameters = {"NotificationSeverity": "low"}
    if engine == "endpoint":
        parameters |= {"BakeSeconds": "60", "Preparation": preparation}
    with LocalAws() as aws, rows_without_spark(TABLE):
        if preparation == "glue":
            parameters["ArtefactsBucket"] = f"local-artefacts-{aws.region}"
        aws.clock.move_to(START - timedelta(days=1))
        aws.sagemaker.endpoint_seconds = ENDPOINT_SECONDS
        with watched_application(aws, declaration, parameters) as application:
            shop = TableShop(application, CutoffWatch(aws))
            application.put(items(400 if engine == "forest" else 1_200))
            if preparation == "glue":
                application.client("dynamodb").update_continuous_backups(
                    TableName=application.table,
                    PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
                )
            if engine == "endpoint":
                ended = application.run({"time": "2026-11-01T00:00:00Z"}).wait()
                assert ended.status == "SUCCEEDED", ended.cause
            aws.event_sources.settle()
            shop.remember()
            yield shop
