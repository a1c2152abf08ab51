"""From a row of a key to its score, its severity and the changes of the key's incident."""

from collections.abc import Sequence
from datetime import datetime
from math import inf
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from cutwatch.anomaly_models.forest_options import WARM_UP_ROWS
from cutwatch.detection.parameters import SENSITIVITY
from cutwatch.detectors.stream import IncidentBegin, Stream
from cutwatch.features.log_explanation import explain
from cutwatch.features.log_features import FeatureRow
from cutwatch.streams.expectation import Expected
from cutwatch.streams.findings import expected_values, findings, is_worth_raising
from cutwatch.streams.forest import Attribution, KeyForest
from cutwatch.streams.incidents import (
    Anomaly,
    ColumnFinding,
    Incident,
    IncidentChange,
    Origin,
    begin,
    continue_with,
    is_over,
)
from cutwatch.streams.key_state import KeyState
from cutwatch.streams.measured import Measured
from cutwatch.streams.steps import step_limits, step_multiple

if TYPE_CHECKING:
    from cutwatch.streams.key_features import KeyFeatures
    from cutwatch.streams.trained_model import TrainedModel


class ScoredRow(NamedTuple):
    """A row with its score, 0 while its forest is `learning`, and its severity in multiples of the cutoff.

    `attribution` has the columns' parts of the score: always with directionality, else for anomalous rows. `incident` is the id of the
    incident that the row belongs to. `expected` has the columns' expected values, if every scored row is to have them.
    """

    key: str
    time: float
    values: tuple[float, ...]
    origin: Origin
    score: float
    severity: float
    learning: bool
    attribution: tuple[Attribution, ...] | None = None
    incident: str | None = None
    expected: tuple[Expected | None, ...] | None = None


class Detection:
    """Scoring, detection and learning of rows, in this order."""

    def __init__(
        self, stream: Stream, trained: "TrainedModel | None" = None, *, expects_all: bool = False
    ) -> None:
        self._stream = stream
        self._expects_all = expects_all
        self._trained = trained
        self._zone = ZoneInfo(stream.time_zone)
        self._factor = SENSITIVITY[stream.sensitivity]
        self._sample_size = stream.forest.sample_size
        self._attributes_all = stream.forest.directionality

    def row(
        self,
        state: KeyState,
        time: float,
        values: tuple[float, ...],
        origin: Origin,
        changes: list[IncidentChange],
        event: FeatureRow | None = None,
    ) -> ScoredRow:
        """Score a row, then learn it; append the changes of the key's incident. `event` is the log event that the row is of."""
        if state.features is not None:
            return self._row_of_features(state, state.features, time, values, origin, changes)
        forest = state.forest
        shingle = forest.shingled(values)
        if shingle is None:
            scored = ScoredRow(state.key, time, values, origin, 0.0, 0.0, learning=True)
        else:
            if isinstance(forest, KeyForest) and forest.learned < self._sample_size:
                if forest.learned >= WARM_UP_ROWS:
                    state.baseline.severity(forest.score(shingle))
                scored = ScoredRow(state.key, time, values, origin, 0.0, 0.0, learning=True)
            else:
                score = forest.score(shingle, time)
                severity = self._severity(state, time, values, score)
                measured = Measured(score, severity, forest, shingle)
                scored = self._scored(state, time, values, origin, measured, changes, event)
            forest.learn(shingle, time)
        state.recent.add(values)
        if self._trained is None:
            state.step_limits = step_limits(state.recent, state.step_limits)
        return scored

    def _row_of_features(
        self,
        state: KeyState,
        features: "KeyFeatures",
        time: float,
        values: tuple[float, ...],
        origin: Origin,
        changes: list[IncidentChange],
    ) -> ScoredRow:
        measured = features.measure(time, values, state.recent, state.step_limits)
        if measured is None:
            scored = ScoredRow(state.key, time, values, origin, 0.0, 0.0, learning=True)
        else:
            severity = state.peaks.exceeding(measured.severity, time)
            measured = measured._replace(severity=severity)
            scored = self._scored(state, time, values, origin, measured, changes)
        features.learn(time, values)
        state.recent.add(values)
        state.step_limits = step_limits(state.recent, state.step_limits, smoothest=-inf)
        return scored

    def _scored(
        self,
        state: KeyState,
        time: float,
        values: tuple[float, ...],
        origin: Origin,
        measured: Measured,
        changes: list[IncidentChange],
        event: FeatureRow | None = None,
    ) -> ScoredRow:
        score, severity, forest, shingle = measured
        severity /= self._factor
        attribution = incident = None
        if severity >= 1 or self._attributes_all:
            attribution = forest.attribute(shingle, time)
        scored = ScoredRow(state.key, time, values, origin, score, severity, False, attribution)
        if severity >= 1:
            incident = self._incident(state, scored, changes, event)
        if self._expects_all:
            scored = scored._replace(expected=expected_values(state, incident))
        if incident is None:
            state.normal_rows += 1
            if state.incident is not None:
                _end_if_over(state, time, changes, self._stream.notify)
            return scored
        state.normal_rows = 0
        state.incident = incident
        return scored._replace(incident=incident.id)

    def _severity(
        self, state: KeyState, time: float, values: tuple[float, ...], score: float
    ) -> float:
        """Return a row in multiples of the cutoff: that of the training, or of the key's own scores and steps."""
        if self._trained is not None:
            return self._trained.times_cutoff(score)
        severity = state.baseline.severity(score)
        if step := step_multiple(state.recent, values, state.step_limits):
            # Half by the forest, as a change of a metric: it speaks no louder than the step itself.
            severity = max(severity, (min(severity, step) + step) / 2)
        return state.peaks.exceeding(severity, time)

    def _incident(
        self,
        state: KeyState,
        row: ScoredRow,
        changes: list[IncidentChange],
        event: FeatureRow | None,
    ) -> Incident | None:
        """Return the key's incident with an anomalous row; None if the declaration excludes the row."""
        if any(each.covers(datetime.fromtimestamp(row.time, self._zone)) for each in self._stream.exclude):  # fmt: skip
            return None
        _end_if_over(state, row.time, changes, self._stream.notify)
        before = state.incident
        columns = findings(self._stream.columns, row.values, row.attribution or (), before, state)
        if not is_worth_raising(max(columns, key=lambda each: each.attribution), self._stream):
            return None
        reasons = self._reasons(event, columns)
        anomaly = Anomaly(row.key, row.time, row.severity, row.score, row.origin, columns, reasons)
        if before is None:
            if not _is_frequent(state, row, self._stream.notify):
                return None
            incident = begin(self._stream.name, anomaly)
            changes.append(IncidentChange("began", incident))
            return incident
        incident = continue_with(before, anomaly)
        if incident.severity_word != before.severity_word:
            changes.append(IncidentChange("escalated", incident))
        return incident

    def _reasons(
        self, event: FeatureRow | None, columns: Sequence[ColumnFinding]
    ) -> tuple[str, ...]:
        """Return in words what made a log event stand out, by its largest attributions."""
        if event is None or self._trained is None or self._trained.features is None:
            return ()
        ranked = sorted(columns, key=lambda each: -each.attribution)
        return tuple(explain(self._trained.features, event, [each.column for each in ranked]))


def _is_frequent(state: KeyState, row: ScoredRow, rule: IncidentBegin) -> bool:
    """Return True if enough rows within the rule's time, with this one, are severe enough for an incident."""
    if row.severity < rule.severity or row.score < rule.score:
        return False
    since = row.time - rule.within
    state.exceeding = [*(time for time in state.exceeding if time > since), row.time]
    if len(state.exceeding) < rule.at_least:
        return False
    state.exceeding = []
    return True


def _end_if_over(
    state: KeyState, time: float, changes: list[IncidentChange], rule: IncidentBegin
) -> None:
    incident = state.incident
    if incident is not None and is_over(incident, time, state.normal_rows, rule.ends_after):
        changes.append(IncidentChange("ended", incident))
        state.incident = None
