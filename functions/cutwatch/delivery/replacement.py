"""End of the incidents that a replaced configuration, a renamed or a removed stream or table left open, each notified once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Literal, Protocol

from cutwatch.aws.clients import client
from cutwatch.aws.dynamodb import Table
from cutwatch.aws.s3 import Bucket
from cutwatch.delivery.declared_stream import find_stream
from cutwatch.delivery.destinations import outbox_delivery, row_target
from cutwatch.delivery.served_streams import ServedStreams
from cutwatch.delivery.stream_metrics import emit_ended
from cutwatch.delivery.stream_reader import stream_postprocessor
from cutwatch.detectors.removed_stream import RemovedStream, RemovedTable
from cutwatch.errors import ConditionFailed, CutwatchError
from cutwatch.observability import logger
from cutwatch.settings import DestinationSettings, StreamSettings
from cutwatch.streams.incidents import IncidentChange
from cutwatch.streams.retirement import Retired, Retirement
from cutwatch.streams.state_store import stream_root

# Once everything is settled; another configuration comes with another execution environment.
_NEXT_LOOK = timedelta(hours=1)


class Retires(Protocol):
    """Retirement of states that nobody scores with any more."""

    def run(self, now: datetime, has_time: Callable[[], bool]) -> Retired:
        """End what is open."""


@dataclass
class Replacement:
    """Replaced configurations and names of one stack's stream or table; `next_look` is the time of the next look for them.

    `kind` is "stream" or "table".
    """

    settings: DestinationSettings
    kind: Literal["stream", "table"]
    name: str
    stack_name: str
    retirements: Sequence[Retires]
    served: ServedStreams
    next_look: datetime | None = field(default=None)

    def end(self, now: datetime, has_time: Callable[[], bool]) -> list[CutwatchError]:
        """End open incidents; return the errors of those that the next minute tries again."""
        if self.next_look is not None and now < self.next_look:
            return []
        retired = self._retire(now, has_time)
        self._report(self.name, retired.incidents)
        try:
            retired.is_settled &= self._end_renamed(now)
        except ConditionFailed:
            retired.is_settled = False
        except CutwatchError as error:
            retired.errors.append(error)
        for left in retired.errors:
            logger.error("incidents not ended yet", reason=f"{type(left).__name__}: {left}")
        if retired.is_settled and not retired.errors:
            self.next_look = now + _NEXT_LOOK
        return retired.errors

    def _retire(self, now: datetime, has_time: Callable[[], bool]) -> Retired:
        every = Retired()
        for each in self.retirements:
            retired = each.run(now, has_time)
            every.incidents += retired.incidents
            every.errors += retired.errors
            every.is_settled &= retired.is_settled
        return every

    def _end_renamed(self, now: datetime) -> bool:
        """End the incidents of the names that the stack served before; return True if no name is left."""
        if not self.stack_name:
            return True
        served = self.served.record(self.stack_name, self.name, now)
        for before in served.renamed:
            self._end_of_name(before, now)
        if served.renamed:
            self.served.settle(self.stack_name, self.name)
        return served.is_settled

    def _end_of_name(self, name: str, now: datetime) -> None:
        removed = RemovedTable(name) if self.kind == "table" else RemovedStream(name)
        notifier = outbox_delivery(self.settings, removed, None).notifier
        reason = f"{self.kind} {name} is now called {self.name}"
        found = notifier.incidents.open(name)
        for incident in found:
            notifier.notify(IncidentChange("ended", incident, reason), now)
        self._report(name, len(found))

    def _report(self, name: str, ended: int) -> None:
        if ended:
            logger.info("incidents of a replaced configuration ended", incidents=ended)
            emit_ended(self.settings.anomaly_namespace, self.kind.capitalize(), name)


@cache
def replacement(settings: StreamSettings, folder: Path) -> Replacement:
    """Return the replacement of a stack's functions, the same at each call. Raises `InvalidDetectors`."""
    stream = find_stream(folder / settings.detectors_file, settings.stream_name)
    source = stream or RemovedStream(settings.stream_name)
    postprocessor = stream_postprocessor(stream, folder) if stream else None
    target = row_target(settings.target_arn)
    deliver = outbox_delivery(settings, source, target, postprocessor, settings.results_url)
    reason = (
        f"stream {settings.stream_name} has another configuration since, {stream.fingerprint}"
        if stream
        else f"stream {settings.stream_name} is no longer in {settings.detectors_file}"
    )
    return Replacement(
        settings,
        "stream",
        settings.stream_name,
        settings.stack_name,
        (
            Retirement(
                Bucket(client("s3"), settings.bucket_name),
                stream_root(settings.stream_name),
                stream.fingerprint if stream else "",
                reason,
                deliver,
            ),
        ),
        ServedStreams(Table(client("dynamodb"), settings.table_name)),
    )
