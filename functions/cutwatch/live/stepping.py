"""One step of a live detector: from its state and new datapoints to the next state. Nothing is written but stored series."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zlib import crc32

import numpy as np

from cutwatch.aws.limits import METRIC_MAX_AGE
from cutwatch.aws.s3 import Bucket
from cutwatch.detection.incidents import last_event
from cutwatch.detection.sigma_threshold import Cutoff
from cutwatch.detection.thresholds import Threshold
from cutwatch.detectors.detector import Detector
from cutwatch.errors import ModelMissing
from cutwatch.features.recipe import FeatureRecipe
from cutwatch.forests.checkpoint import ForestCheckpoint
from cutwatch.live.evaluation import Evaluation, evaluate
from cutwatch.live.live_bucket import LiveState, OutboxEntry
from cutwatch.live.live_series import LiveModel, LiveSeries
from cutwatch.live.live_store import series_key
from cutwatch.live.plan import PlannedDetector
from cutwatch.live.reading import (
    ToRead,
    closed_end,
    corrected,
    is_corrected,
    read_again_periods,
    settled,
)
from cutwatch.live.series_memory import SeriesMemory
from cutwatch.timeseries.arrays import Floats
from cutwatch.timeseries.series import Series
from cutwatch.timeseries.windows import PUBLISHING_MARGIN, earliest_readable, lead_in_start
from cutwatch.timestamps import ceil_to_period, parse_timestamp

# Datapoints in a state beyond which the series is stored again: a cold environment computes that many again. Detectors that
# began together do not all store in the same run.
_MANY_VALUES, _SPREAD = 400, 200


@dataclass(frozen=True, eq=False)
class Step:
    """The next state, what is to be notified, and what was scored: the evaluation, None if nothing was.

    `superseded` is the key of a stored series that the state does not need any more.
    """

    state: LiveState
    entries: tuple[OutboxEntry, ...] = ()
    evaluation: Evaluation | None = None
    superseded: str | None = None


@dataclass(frozen=True)
class Stepper:
    """Makes the steps of a run. `wait` is the time after which a missing datapoint counts as a gap."""

    bucket: Bucket
    memory: SeriesMemory
    now: datetime
    wait: timedelta

    def begins(self, planned: PlannedDetector, state: LiveState | None) -> bool:
        """Return True if the window must begin again: a new detector, entry or model, or another transform."""
        return state is None or state.series is None or state.basis != planned.basis

    def to_read(self, planned: PlannedDetector, state: LiveState | None) -> ToRead | None:
        """Return the datapoints that a step needs; None if there is none to make."""
        detector = planned.detector
        end = closed_end(detector.period, self.now)
        if state is None or self.begins(planned, state):
            return self._history(planned, end) if planned.model else None
        if end.timestamp() <= state.through:
            return None
        again = min(read_again_periods(detector.period), len(state.values))
        start = state.through - again * detector.period
        return ToRead(detector, datetime.fromtimestamp(start, UTC), end)

    def _history(self, planned: PlannedDetector, end: datetime) -> ToRead | None:
        start, period = self._start(planned), planned.detector.period
        first = max(lead_in_start(period, start), earliest_readable(period, self.now))
        return ToRead(planned.detector, first, end) if first < start <= end else None

    def _start(self, planned: PlannedDetector) -> datetime:
        """Return the beginning of the window, which is that of the next transform's."""
        oldest = ceil_to_period(
            self.now - METRIC_MAX_AGE + PUBLISHING_MARGIN, planned.detector.period
        )
        return max(parse_timestamp(planned.start or "", "start"), oldest)

    def begin(self, planned: PlannedDetector, earlier: LiveState | None, read: Series) -> Step:
        """Begin a window with the checkpoint of the last transform; incidents that were notified stay known."""
        detector, start = planned.detector, self._start(planned)
        series = self._begun(planned, read, start)
        key = series_key(detector.name, planned.basis, series.through)
        self.memory.store(key, series)
        period, known = detector.period, earlier.incidents if earlier else {}
        values = settled(read.since(start).values, read.end, period, self.now, self.wait)
        state = LiveState(planned.basis, period, key, series.through, values, known)
        superseded = earlier.series if earlier else None
        return self._evaluated(state, series, detector, values, superseded, restarted=True)

    def _begun(self, planned: PlannedDetector, read: Series, start: datetime) -> LiveSeries:
        model, epoch = planned.model, int(start.timestamp())
        if model is None or planned.checkpoint is None:
            raise ModelMissing(f"{planned.name} has no model with a checkpoint")
        recipe = FeatureRecipe.from_payload(self.bucket.read_json(model.recipe))
        checkpoint = ForestCheckpoint.from_bytes(self.bucket.read_bytes(planned.checkpoint))
        history = replace(read, values=read.values[: len(read) - len(read.since(start))])
        threshold = Threshold(model.cutoff_method, Cutoff.from_payload(model.cutoff))
        live = LiveModel(recipe, threshold, epoch, planned.before)
        return LiveSeries.begin(live, checkpoint, history, planned.detector)

    def go_on(self, planned: PlannedDetector, state: LiveState, read: Series) -> Step:
        """Take in the datapoints that were read: corrections of those behind the watermark, and those that follow."""
        detector, period = planned.detector, state.period
        again = (state.through - int(read.start.timestamp())) // period
        known = state.values[len(state.values) - again :]
        new = settled(read.values[again:], read.end, period, self.now, self.wait)
        if is_corrected(known, read.values[:again]):
            kept = state.values[: len(state.values) - again]
            values = np.concatenate([kept, corrected(known, read.values[:again])])
            state = replace(state, values=values)
        elif not len(new):
            return Step(state)
        series = self.memory.at(state, detector)
        state = replace(state, values=np.concatenate([state.values, new]))
        stepped = self._evaluated(state, series, detector, new)
        return self._stored_again(stepped, detector)

    def _evaluated(
        self,
        state: LiveState,
        series: LiveSeries,
        detector: Detector,
        new: Floats,
        superseded: str | None = None,
        *,
        restarted: bool = False,
    ) -> Step:
        series.extend(new, detector)
        found = evaluate(series, detector, state.incidents, self.now, restarted=restarted)
        self.memory.keep(detector.name, state.series or "", series)
        entries = tuple(
            OutboxEntry(
                detector.to_payload(),
                change,
                tuple(each for each in found.events if each.id == change.event.id),
            )
            for change in found.changes
        )
        state = replace(
            state,
            incidents=found.incidents,
            newest=found.newest,
            problem=None,
            definition=detector.to_payload(),
        )
        return Step(state, entries, found, superseded)

    def _stored_again(self, step: Step, detector: Detector) -> Step:
        """Store the series behind what may still be corrected, once the state has many datapoints."""
        state = step.state
        settled_values = len(state.values) - read_again_periods(state.period)
        many = _MANY_VALUES + crc32(detector.name.encode()) % _SPREAD
        if len(state.values) <= many or settled_values <= 0 or state.series is None:
            return step
        series = self.memory.stored(state.series)
        series.extend(state.values[:settled_values], detector)
        self._bound(series, detector)
        key = series_key(detector.name, state.basis, series.through)
        self.memory.store(key, series)
        kept = replace(
            state,
            series=key,
            stored_through=series.through,
            values=state.values[settled_values:],
        )
        return replace(step, state=kept, superseded=state.series)

    def _bound(self, series: LiveSeries, detector: Detector) -> None:
        """Begin another window where transforms have not done so for as long as CloudWatch accepts datapoints."""
        if series.through - series.model.start >= METRIC_MAX_AGE.total_seconds():
            found = series.detect(detector).found
            series.begin_window(series.through, last_event(found.events, series.model.before))
