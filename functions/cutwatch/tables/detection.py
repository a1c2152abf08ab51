"""From the scores of rows to severities and to the changes of incidents."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from cutwatch.detection.parameters import SENSITIVITY
from cutwatch.detectors.detector import Direction
from cutwatch.detectors.watched_table import WatchedTable
from cutwatch.endpoints.cutoff_store import VariantCutoff
from cutwatch.streams.detection import ScoredRow
from cutwatch.streams.expectation import Expected
from cutwatch.streams.incidents import (
    CALM_ROWS,
    Anomaly,
    ColumnFinding,
    IncidentChange,
    begin,
    continue_with,
    is_over,
)
from cutwatch.streams.record import Record
from cutwatch.tables.state import OpenIncident, TableState

_LEAST_SPREAD = 1e-9


@dataclass(frozen=True)
class TableDetection:
    """Detection for one table. An endpoint explains no score, so columns are compared with their training data."""

    table: WatchedTable

    def row(
        self,
        state: TableState,
        record: Record,
        score: float,
        cutoff: VariantCutoff,
        changes: list[IncidentChange],
    ) -> ScoredRow:
        """Compare a score with its model's cutoff; append the changes of the key's incident.

        The order of rows matters only within an incident, and there their times decide: DynamoDB orders the changes of an
        item, not those of a table.
        """
        severity = score / (cutoff.value * SENSITIVITY[self.table.sensitivity])
        origin = (record.lane, record.position)
        row = ScoredRow(
            record.key, record.time, record.values, origin, score, severity, learning=False
        )
        anomaly = self._anomaly(row, cutoff) if severity >= 1 else None
        if anomaly is None:
            _count_normal(state, row, changes)
            return row
        return row._replace(incident=_open(self.table.name, state, anomaly, changes))

    def _anomaly(self, row: ScoredRow, cutoff: VariantCutoff) -> Anomaly | None:
        """Return an anomalous row with its columns; None if the declaration excludes it."""
        time = datetime.fromtimestamp(row.time, ZoneInfo(self.table.time_zone))
        if any(each.covers(time) for each in self.table.exclude):
            return None
        columns = findings(cutoff, row.values, row.score)
        if not self._is_worth_raising(max(columns, key=lambda each: each.attribution)):
            return None
        return Anomaly(row.key, row.time, row.severity, row.score, row.origin, columns)

    def _is_worth_raising(self, leading: ColumnFinding) -> bool:
        """Return True if the column that deviates most is on the declared side and deviates far enough."""
        if self.table.direction not in ("both", leading.direction) or leading.expected is None:
            return False
        amount, minimum = abs(leading.value - leading.expected.value), self.table.minimum_deviation
        relative = (minimum.relative or 0.0) * abs(leading.expected.value)
        return amount >= max(minimum.absolute or 0.0, relative)


def findings(
    cutoff: VariantCutoff, values: Sequence[float], score: float
) -> tuple[ColumnFinding, ...]:
    """Return the columns of a row with their parts of the score, in proportion to their distance from the training data."""
    expected = [Expected(*each) for each in cutoff.ranges]
    distances = [_distance(value, each) for value, each in zip(values, expected, strict=True)]
    whole = sum(distances) or 1.0
    return tuple(
        ColumnFinding(name, value, score * distance / whole, _direction(value, known), known)
        for name, value, distance, known in zip(
            cutoff.columns, values, distances, expected, strict=True
        )
    )


def _distance(value: float, expected: Expected) -> float:
    spread = max(expected.high - expected.low, _LEAST_SPREAD * max(abs(expected.value), 1.0))
    return abs(value - expected.value) / spread


def _direction(value: float, expected: Expected) -> Direction:
    return "above" if value >= expected.value else "below"


def _open(name: str, state: TableState, anomaly: Anomaly, changes: list[IncidentChange]) -> str:
    """Begin or continue the key's incident, and return its id."""
    before = state.incidents.get(anomaly.key)
    if before and is_over(before.incident, anomaly.time, len(before.calm)):
        changes.append(IncidentChange("ended", before.incident))
        before = None
    if before is None:
        incident = begin(name, anomaly)
        changes.append(IncidentChange("began", incident))
    else:
        incident = continue_with(before.incident, anomaly)
        if incident.severity_word != before.incident.severity_word:
            changes.append(IncidentChange("escalated", incident))
    state.incidents[anomaly.key] = OpenIncident(incident)
    return incident.id


def _count_normal(state: TableState, row: ScoredRow, changes: list[IncidentChange]) -> None:
    """Count a normal row after the last anomalous one towards the end of the key's incident, once."""
    found = state.incidents.get(row.key)
    if found is None or row.time <= found.incident.last_time:
        return
    identity = f"{row.origin[0]}:{row.origin[1]}"
    if len(found.calm) < CALM_ROWS and identity not in found.calm:
        found.calm.append(identity)
        state.is_changed = True
    if is_over(found.incident, row.time, len(found.calm)):
        changes.append(IncidentChange("ended", found.incident))
        del state.incidents[row.key]
        state.is_changed = True
