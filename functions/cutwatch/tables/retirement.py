"""Retirement of the state of an endpoint that forests have replaced, or of a removed table: its incidents end."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from cutwatch.errors import ConditionFailed, CutwatchError
from cutwatch.streams.incidents import IncidentChange
from cutwatch.streams.outbox import Deliver
from cutwatch.streams.retirement import STILL_WRITTEN, Retired
from cutwatch.tables.state import TableStateStore


@dataclass(frozen=True)
class EndpointRetirement:
    """Retires a table's state of incidents by endpoint; the changes that it has applied stay. `deliver` empties an outbox."""

    store: TableStateStore
    reason: str
    deliver: Deliver

    def run(self, now: datetime, has_time: Callable[[], bool]) -> Retired:
        """End what is open, once nobody writes it any more."""
        retired = Retired()
        try:
            written = self.store.written()
            if written is None:
                return retired
            if now - written <= STILL_WRITTEN or not has_time():
                retired.is_settled = False
            else:
                retired.incidents = self._retire()
        except ConditionFailed:
            retired.is_settled = False
        except CutwatchError as error:
            retired.errors.append(error)
        return retired

    def _retire(self) -> int:
        state, etag = self.store.load()
        if state.incidents:
            opened = [each.incident for each in state.incidents.values()]
            state.outbox.changes += [IncidentChange("ended", each, self.reason) for each in opened]
            state.incidents.clear()
            etag = self.store.save(state, etag)
        # Of an earlier attempt that did not deliver them, too.
        ended = sum(change.reason == self.reason for change in state.outbox.changes)
        if state.outbox:
            self.deliver(state.outbox)
            self.store.save(state, etag)
        return ended
