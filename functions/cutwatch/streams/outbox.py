"""The outbox of a bucket: what was committed together with its state, and is yet to be delivered."""

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from cutwatch.streams.incidents import Incident, IncidentChange
from cutwatch.streams.record import DeadLetter, RawRecord, Reason, Rejected

NoticeKind = Literal[
    "state reset",
    "records lost",
    "rows lost",
    "configuration changed",
    "changes forgotten",
    "no cold start",
]
# Scored rows that wait for their target; some 5 MB, which every write of the state carries.
MOST_ROWS = 20_000
_HOUR = 3_600


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that operators must know of, once. `id` is the same after a replay."""

    id: str
    kind: NoticeKind
    text: str


@dataclass(slots=True)
class Outbox:
    """Changes of incidents, rejected records, scored rows and summaries as JSON values, and notices, each in their order."""

    changes: list[IncidentChange] = field(default_factory=list)
    rejected: list[DeadLetter] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    summaries: list[dict[str, Any]] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Return True if anything is yet to be delivered."""
        return any(self._parts())

    def clear(self) -> None:
        """Remove everything."""
        for part in self._parts():
            part.clear()

    def forget_old_rows(self, now: float) -> None:
        """Remove the oldest scored rows beyond the most that wait, with a notice an hour; `now` is in epoch seconds.

        Without a limit, the state would grow until functions have no memory for it, if a target is gone or too slow.
        """
        excess = len(self.rows) - MOST_ROWS
        if excess <= 0:
            return
        del self.rows[:excess]
        text = (
            f"the target has not taken scored rows for long. A bucket of keys keeps the newest {MOST_ROWS:,} and one batch, and older ones are lost; "
            "incidents are notified as before. The log of the functions has the error of the target"
        )
        notice = Notice(f"rows:{int(now) // _HOUR}", "rows lost", text)
        if notice not in self.notices:
            self.notices.append(notice)

    def _parts(self) -> tuple[list[Any], ...]:
        return (self.changes, self.rejected, self.rows, self.notices, self.summaries)

    def to_payload(self) -> dict[str, Any]:
        """Return the outbox as JSON values; empty lists are left out."""
        lists: Mapping[str, Sequence[Any]] = {
            "changes": [
                [kind, incident.to_payload(), *([reason] if reason else ())]
                for kind, incident, reason in self.changes
            ],
            "rejected": [_dead_letter_payload(each) for each in self.rejected],
            "rows": self.rows,
            "summaries": self.summaries,
            "notices": [[each.id, each.kind, each.text] for each in self.notices],
        }
        return {name: values for name, values in lists.items() if values}

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> "Outbox":
        """Read back what `to_payload` returned."""
        return cls(
            changes=[
                IncidentChange(kind, Incident.from_payload(incident), *reason)
                for kind, incident, *reason in payload.get("changes", ())
            ],
            rejected=[_dead_letter(each) for each in payload.get("rejected", ())],
            rows=[*payload.get("rows", ())],
            summaries=[*payload.get("summaries", ())],
            notices=[Notice(*each) for each in payload.get("notices", ())],
        )


# Delivers and removes what is in an outbox; what raises a `CutwatchError` stays in it.
Deliver = Callable[[Outbox], None]


def _dead_letter_payload(letter: DeadLetter) -> list[Any]:
    (reason, detail, lane, position), raw = letter
    data = b64encode(raw.data).decode()
    return [str(reason), detail, lane, position, raw.arrival, raw.partition, data, raw.headers]


def _dead_letter(payload: Sequence[Any]) -> DeadLetter:
    reason, detail, lane, position, arrival, partition, data, *headers = payload
    named = tuple((name, value) for name, value in headers[0]) if headers else ()
    raw = RawRecord(b64decode(data), lane, position, arrival, partition, named)
    return DeadLetter(Rejected(Reason(reason), detail, lane, position), raw)
