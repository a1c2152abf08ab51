"""The registry: what is known of every detector and of every run, in one DynamoDB table.

Items: `DETECTOR / <name>` (models newest first, watermark), `RUN#<id> / RUN` (its fixed "now", what has been told of it),
`RUN#<id> / OUTCOME#<detector>`, `NEWEST / <kind of run>`, `EVENT / <start>#<detector>`, `SILENCE / <detector>`.
"""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from cutwatch.aws.dynamodb import Table
from cutwatch.aws.limits import METRIC_MAX_AGE
from cutwatch.detection.anomaly_event import LastEvent
from cutwatch.errors import ConditionFailed
from cutwatch.registry.detector_record import CarriedState, DetectorRecord, Model
from cutwatch.registry.event_record import RecordedEvent, incidents
from cutwatch.registry.outcome import SUCCESSES, Outcome, Status
from cutwatch.registry.run import Kind, Run
from cutwatch.registry.silences import Silence
from cutwatch.timestamps import format_timestamp, parse_timestamp

KEPT_MODELS = 2
_RUN_RETENTION = timedelta(days=400)
# Of an incident that lasts longer there is another part for each window, and no window is longer than this.
_LONGEST_PART = METRIC_MAX_AGE + timedelta(days=1)
_REOPEN_AFTER = timedelta(days=13)
_WRITE_ATTEMPTS = 5
_CLAIM = timedelta(minutes=15)


class Registry:
    """The table and the DynamoDB client that reaches it."""

    def __init__(self, dynamodb: Any, table_name: str) -> None:
        self._table = Table(dynamodb, table_name)

    def detectors(self) -> dict[str, DetectorRecord]:
        """Every detector that the registry knows, by name."""
        return {
            item["sk"]: DetectorRecord.from_item(item) for item in self._table.query("DETECTOR")
        }

    def detector(self, name: str) -> DetectorRecord:
        """What is known of one detector; an empty record if nothing is."""
        item = self._table.get("DETECTOR", name)
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
        self._table.update(
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
        definition: Mapping[str, Any] | None = None,
    ) -> bool:
        """Move the end of the last published window forward, with the newest event and the forest's state.

        `definition` is the detector's, for those who look at what was published.

        It never moves back; whether it moved.
        """
        try:
            self._table.update(
                "DETECTOR",
                name,
                "SET published_through = :end, last_run = :run, last_event = :last, "
                "earlier_event = :earlier, carried = :carried, detector_definition = :definition",
                {
                    "end": format_timestamp(published_through),
                    "run": run,
                    "last": asdict(last) if last else None,
                    "earlier": asdict(earlier) if earlier else None,
                    "carried": asdict(carried) if carried else None,
                    "definition": json.dumps(definition) if definition else None,
                },
                "attribute_not_exists(published_through) OR published_through < :end",
            )
        except ConditionFailed:
            return False
        return True

    def forget_detector(self, name: str) -> None:
        """Delete a detector's record."""
        self._table.delete("DETECTOR", name)

    def open_run(self, run: str, started: datetime) -> datetime:
        """Fix the run's "now": that of the first execution, whichever execution asks.

        A run repeated so late that CloudWatch would refuse the old "now" gets a new one.
        """
        with suppress(ConditionFailed):
            self._table.update(
                f"RUN#{run}",
                "RUN",
                "SET opened_at = :now, expires_at = :expires REMOVE closed_at",
                {
                    "now": format_timestamp(started),
                    "expires": _expiry(started),
                    "stale": format_timestamp(started - _REOPEN_AFTER),
                },
                "attribute_not_exists(opened_at) OR opened_at < :stale",
            )
        item = self._table.get(f"RUN#{run}", "RUN") or {}
        return parse_timestamp(item["opened_at"], "opened_at")

    def claim_notification(self, run: str, execution: str, now: datetime) -> set[str] | None:
        """What has been told of this run, if this execution may tell more; None while another one is at it.

        A claim lapses after 15 minutes, so that an execution that died silences nobody.
        """
        try:
            item = self._table.update(
                f"RUN#{run}",
                "RUN",
                "SET notifier = :execution, claimed_until = :until",
                {
                    "execution": execution,
                    "until": format_timestamp(now + _CLAIM),
                    "now": format_timestamp(now),
                },
                "attribute_not_exists(notifier) OR notifier = :execution OR claimed_until < :now",
            )
        except ConditionFailed:
            return None
        return set(item.get("told", []))

    def mark_notified(self, run: str, told: set[str]) -> None:
        """Remember what has been told of a run."""
        self._table.update(f"RUN#{run}", "RUN", "SET told = :told", {"told": sorted(told)})

    def release_notification(self, run: str) -> None:
        """Give up the claim, so that other executions can tell what is news by then."""
        self._table.update(f"RUN#{run}", "RUN", "REMOVE notifier, claimed_until", {})

    def close_run(self, run: Run, now: datetime) -> datetime:
        """Fix when the run's totals were counted: the first time, however often they are.

        The newest whole one of its kind is remembered beside, for whoever asks whether runs happen at all.
        """
        closed = self._table.update(
            f"RUN#{run.id}",
            "RUN",
            "SET closed_at = if_not_exists(closed_at, :now)",
            {"now": format_timestamp(now)},
        )
        if not run.narrowed:
            self._note_newest(run)
        return parse_timestamp(closed["closed_at"], "closed_at")

    def _note_newest(self, run: Run) -> None:
        with suppress(ConditionFailed):
            self._table.update(
                "NEWEST",
                run.kind,
                "SET scheduled_time = :scheduled, run = :run",
                {"scheduled": run.scheduled_time, "run": run.id},
                "attribute_not_exists(scheduled_time) OR scheduled_time < :scheduled",
            )

    def newest_closed(self, kind: Kind, now: datetime) -> datetime:
        """The scheduled time of the newest run of a kind that was counted; before the first, when this was first asked."""
        item = self._table.update(
            "NEWEST",
            kind,
            "SET asked_at = if_not_exists(asked_at, :now)",
            {"now": format_timestamp(now)},
        )
        return parse_timestamp(item.get("scheduled_time") or item["asked_at"], "scheduled_time")

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
        if outcome.status in SUCCESSES or not keeps:
            self._table.put(item)
            return True
        kept = {f":s{number}": status for number, status in enumerate(keeps)}
        condition = f"attribute_not_exists(pk) OR NOT #status IN ({', '.join(kept)})"
        try:
            self._table.put(item, condition, {"#status": "status"}, kept)
        except ConditionFailed:
            return False
        return True

    def outcome(self, run: str, detector: str) -> Outcome | None:
        """How a detector's part of a run ended, if it has."""
        item = self._table.get(f"RUN#{run}", f"OUTCOME#{detector}")
        return Outcome.from_payload(item) if item else None

    def outcomes(self, run: str) -> list[Outcome]:
        """All outcomes of a run, by detector name."""
        return [Outcome.from_payload(item) for item in self._table.query(f"RUN#{run}", "OUTCOME#")]

    def record_events(self, events: Iterable[RecordedEvent], now: datetime) -> None:
        """Record what a window saw; again changes nothing."""
        for event in events:
            self._table.put({"pk": "EVENT", "expires_at": _expiry(now), **event.to_item()})

    def events(self, since: datetime, until: datetime) -> list[RecordedEvent]:
        """All detectors' incidents that are at least partly in this time, both ends included, newest first."""
        between = (format_timestamp(since - _LONGEST_PART), f"{format_timestamp(until)}~")
        parts = map(RecordedEvent.from_item, self._table.query("EVENT", between=between))
        return incidents(part for part in parts if part.ends >= since and part.begins <= until)

    def silences(self) -> list[Silence]:
        """All that are recorded, by detector name; DynamoDB deletes those that are over when it finds time."""
        return [Silence.from_item(item) for item in self._table.query("SILENCE")]

    def silence(self, silence: Silence) -> None:
        """Record a silence, instead of any that the detector has."""
        self._table.put({"pk": "SILENCE", **silence.to_item()})

    def lift_silence(self, name: str) -> None:
        """End a detector's silence, if it has one."""
        self._table.delete("SILENCE", name)


def _expiry(now: datetime) -> int:
    return int((now + _RUN_RETENTION).timestamp())
