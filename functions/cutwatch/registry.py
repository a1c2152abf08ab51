"""The registry: what is known of every detector and of every run, in one DynamoDB table.

Items: `DETECTOR / <name>` (models newest first, watermark), `RUN#<id> / RUN` (its fixed "now", what has been told of it),
`RUN#<id> / OUTCOME#<detector>`, `SILENCE / <detector>`.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from cutwatch.aws import from_item, to_item
from cutwatch.errors import ConditionFailed
from cutwatch.moments import format_moment, parse_moment
from cutwatch.outcomes import SUCCESSES, Outcome, Status
from cutwatch.records import CarriedState, DetectorRecord, LastEvent, Model
from cutwatch.silences import Silence

KEPT_MODELS = 2
_RUN_RETENTION = timedelta(days=400)
_REOPEN_AFTER = timedelta(days=13)
_WRITE_ATTEMPTS = 5
_CLAIM = timedelta(minutes=15)


class Registry:
    """The table and the DynamoDB client that reaches it."""

    def __init__(self, dynamodb: Any, table_name: str) -> None:
        self._dynamodb = dynamodb
        self._table = table_name

    def detectors(self) -> dict[str, DetectorRecord]:
        """Every detector that the registry knows, by name."""
        return {item["sk"]: DetectorRecord.from_item(item) for item in self._query("DETECTOR", "")}

    def detector(self, name: str) -> DetectorRecord:
        """What is known of one detector; an empty record if nothing is."""
        item = self._get("DETECTOR", name)
        return DetectorRecord.from_item(item) if item else DetectorRecord(name)

    def add_model(self, name: str, model: Model) -> tuple[Model, ...]:
        """Register a model, newest scheduled time first; returns all registered models.

        Registering the same model again replaces its entry.
        """
        return self._change_models(
            name, lambda models: (model, *(old for old in models if old.name != model.name))
        )

    def remove_models(self, name: str, removed: set[str]) -> tuple[Model, ...]:
        """Forget models by name; returns those that are left."""
        return self._change_models(
            name, lambda models: tuple(model for model in models if model.name not in removed)
        )

    def _change_models(self, name: str, change: Any) -> tuple[Model, ...]:
        for attempt in range(1, _WRITE_ATTEMPTS + 1):
            record = self.detector(name)
            newest_first = sorted(
                change(record.models), key=lambda model: model.scheduled_time, reverse=True
            )
            try:
                self._replace_models(replace(record, models=tuple(newest_first)))
            except ConditionFailed:
                if attempt == _WRITE_ATTEMPTS:
                    raise
            else:
                return tuple(newest_first)
        raise AssertionError("unreachable")

    def _replace_models(self, record: DetectorRecord) -> None:
        self._update(
            "DETECTOR",
            record.name,
            "SET models = :models, version = :next",
            {
                "models": [asdict(model) for model in record.models],
                "next": record.version + 1,
                "version": record.version,
            },
            "attribute_not_exists(version) OR version = :version",
        )

    def advance(
        self,
        name: str,
        published_through: datetime,
        run: str,
        last: LastEvent | None,
        earlier: LastEvent | None,
        carried: CarriedState | None = None,
    ) -> bool:
        """Move the end of the last published window forward, with the newest event and the forest's state.

        It never moves back; whether it moved.
        """
        try:
            self._update(
                "DETECTOR",
                name,
                "SET published_through = :end, last_run = :run, last_event = :last, "
                "earlier_event = :earlier, carried = :carried",
                {
                    "end": format_moment(published_through),
                    "run": run,
                    "last": asdict(last) if last else None,
                    "earlier": asdict(earlier) if earlier else None,
                    "carried": asdict(carried) if carried else None,
                },
                "attribute_not_exists(published_through) OR published_through < :end",
            )
        except ConditionFailed:
            return False
        return True

    def forget_detector(self, name: str) -> None:
        """Delete a detector's record."""
        self._dynamodb.delete_item(
            TableName=self._table, Key=to_item({"pk": "DETECTOR", "sk": name})
        )

    def open_run(self, run: str, started: datetime) -> datetime:
        """Fix the run's "now": that of the first execution, whichever execution asks.

        A run repeated so late that CloudWatch would refuse the old "now" gets a new one.
        """
        with suppress(ConditionFailed):
            self._update(
                f"RUN#{run}",
                "RUN",
                "SET opened_at = :now, expires_at = :expires",
                {
                    "now": format_moment(started),
                    "expires": _expiry(started),
                    "stale": format_moment(started - _REOPEN_AFTER),
                },
                "attribute_not_exists(opened_at) OR opened_at < :stale",
            )
        item = self._get(f"RUN#{run}", "RUN") or {}
        return parse_moment(item["opened_at"], "opened_at")

    def claim_notification(self, run: str, execution: str, now: datetime) -> set[str] | None:
        """What has been told of this run, if this execution may tell more; None while another one is at it.

        A claim lapses after 15 minutes, so that an execution that died silences nobody.
        """
        try:
            self._update(
                f"RUN#{run}",
                "RUN",
                "SET notifier = :execution, claimed_until = :until",
                {
                    "execution": execution,
                    "until": format_moment(now + _CLAIM),
                    "now": format_moment(now),
                },
                "attribute_not_exists(notifier) OR notifier = :execution OR claimed_until < :now",
            )
        except ConditionFailed:
            return None
        return set((self._get(f"RUN#{run}", "RUN") or {}).get("told", []))

    def mark_told(self, run: str, told: set[str]) -> None:
        """Remember what has been told of a run, and let other executions tell what is news by then."""
        self._update(
            f"RUN#{run}",
            "RUN",
            "SET told = :told REMOVE notifier, claimed_until",
            {"told": sorted(told)},
        )

    def record_outcome(
        self,
        run: str,
        now: datetime,
        outcome: Outcome,
        keeps: tuple[Status, ...] = SUCCESSES,
    ) -> bool:
        """Record how a detector's part of a run ended; `keeps` are never replaced by anything but a success.

        Whether it was recorded.
        """
        item = {
            "pk": f"RUN#{run}",
            "sk": f"OUTCOME#{outcome.detector}",
            "expires_at": _expiry(now),
            **outcome.to_payload(),
        }
        request = {"TableName": self._table, "Item": to_item(item)}
        if keeps and outcome.status not in SUCCESSES:
            names = {f":s{number}": status for number, status in enumerate(keeps)}
            request["ConditionExpression"] = (
                f"attribute_not_exists(pk) OR NOT #status IN ({', '.join(names)})"
            )
            request["ExpressionAttributeNames"] = {"#status": "status"}
            request["ExpressionAttributeValues"] = to_item(names)
        try:
            self._dynamodb.put_item(**request)
        except ConditionFailed:
            return False
        return True

    def outcome(self, run: str, detector: str) -> Outcome | None:
        """How a detector's part of a run ended, if it has."""
        item = self._get(f"RUN#{run}", f"OUTCOME#{detector}")
        return Outcome.from_payload(item) if item else None

    def outcomes(self, run: str) -> list[Outcome]:
        """All outcomes of a run, by detector name."""
        return [Outcome.from_payload(item) for item in self._query(f"RUN#{run}", "OUTCOME#")]

    def silences(self) -> list[Silence]:
        """All that are recorded, by detector name; DynamoDB deletes those that are over when it finds time."""
        return [Silence.from_item(item) for item in self._query("SILENCE", "")]

    def silence(self, silence: Silence) -> None:
        """Record a silence, instead of any that the detector has."""
        item = {"pk": "SILENCE", **silence.to_item()}
        self._dynamodb.put_item(TableName=self._table, Item=to_item(item))

    def lift_silence(self, name: str) -> None:
        """End a detector's silence, if it has one."""
        self._dynamodb.delete_item(
            TableName=self._table, Key=to_item({"pk": "SILENCE", "sk": name})
        )

    def _get(self, pk: str, sk: str) -> dict[str, Any] | None:
        answer = self._dynamodb.get_item(
            TableName=self._table, Key=to_item({"pk": pk, "sk": sk}), ConsistentRead=True
        )
        return from_item(answer["Item"]) if "Item" in answer else None

    def _query(self, pk: str, sk_prefix: str) -> Iterator[dict[str, Any]]:
        condition, values = "pk = :pk", {":pk": pk}
        if sk_prefix:
            condition, values = (
                f"{condition} AND begins_with(sk, :sk)",
                {":pk": pk, ":sk": sk_prefix},
            )
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=to_item(values),
            ConsistentRead=True,
        )
        for page in pages:
            yield from map(from_item, page["Items"])

    def _update(
        self, pk: str, sk: str, update: str, values: Mapping[str, Any], condition: str = ""
    ) -> None:
        request = {
            "TableName": self._table,
            "Key": to_item({"pk": pk, "sk": sk}),
            "UpdateExpression": update,
            "ExpressionAttributeValues": to_item({f":{k}": v for k, v in values.items()}),
        }
        if condition:
            request["ConditionExpression"] = condition
        self._dynamodb.update_item(**request)


def _expiry(now: datetime) -> int:
    return int((now + _RUN_RETENTION).timestamp())
