"""A live detector's series and scores since the lead-in of its window, with the forest that has learned them.

The window begins where the last transform ended. Everything is computed as a transform that ends now would, so whatever the
runs in between, both find the same.
"""

import io
import json
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Self

import numpy as np

from cutwatch.detection.anomalies import WindowAnomalies, detect_anomalies, measure_window
from cutwatch.detection.anomaly_event import LastEvent
from cutwatch.detection.channels import Measured
from cutwatch.detection.incidents import continue_incidents
from cutwatch.detection.scored_window import ScoredWindow
from cutwatch.detection.sigma_threshold import Cutoff
from cutwatch.detection.thresholds import Threshold
from cutwatch.detectors.detector import Detector
from cutwatch.errors import MalformedState
from cutwatch.features.expectation import Expectation, expect
from cutwatch.features.recipe import FeatureRecipe
from cutwatch.forests.checkpoint import ForestCheckpoint
from cutwatch.forests.learning_forest import LearningForest
from cutwatch.timeseries.arrays import Epochs, Floats
from cutwatch.timeseries.series import Series
from cutwatch.timeseries.windows import lead_in_start


@dataclass(frozen=True)
class LiveModel:
    """The constants of a window: recipe, threshold, beginning, and the newest incident before it.

    `start` is the epoch second at which the window begins.
    """

    recipe: FeatureRecipe
    threshold: Threshold
    start: int
    before: LastEvent | None = None

    def to_payload(self) -> dict[str, Any]:
        """Return the model as JSON values."""
        return {
            "recipe": self.recipe.to_payload(),
            "method": self.threshold.method,
            "cutoff": self.threshold.cutoff.to_payload(),
            "start": self.start,
            "before": asdict(self.before) if self.before else None,
        }

    @classmethod
    def from_payload(cls, payload: dict[str, Any]) -> Self:
        """Read back what `to_payload` returned."""
        before = payload["before"]
        return cls(
            FeatureRecipe.from_payload(payload["recipe"]),
            Threshold(payload["method"], Cutoff.from_payload(payload["cutoff"])),
            payload["start"],
            LastEvent(**before) if before else None,
        )


@dataclass(frozen=True, eq=False)
class LiveDetection:
    """The window so far: classified datapoints, events with their incidents' ids, and what was measured."""

    found: WindowAnomalies
    measured: Measured


@dataclass(eq=False)
class LiveSeries:
    """`observed` from the lead-in to the watermark, gaps as NaN; the scores (n, features) of its rows at `epochs` (n,)."""

    model: LiveModel
    forest: LearningForest
    observed: Series
    epochs: Epochs
    scores: Floats
    _expected: tuple[Series, int, Expectation] | None = field(default=None, init=False, repr=False)

    @classmethod
    def begin(
        cls, model: LiveModel, checkpoint: ForestCheckpoint, history: Series, detector: Detector
    ) -> Self:
        """Return the series of a window that has no datapoints yet, by the checkpoint of the transform before it."""
        history = history.from_first(model.recipe.first)
        rows = model.recipe.transform(history.usable(detector), model.start)
        scores = checkpoint.score(rows, model.start)
        return cls(model, checkpoint.forest, history, rows.epochs, scores)

    @property
    def through(self) -> int:
        """The watermark: epoch second before which everything is scored and learned."""
        return int(self.observed.end.timestamp())

    def extend(self, values: Floats, detector: Detector) -> None:
        """Score and learn the datapoints that follow the watermark, one per period, gaps as NaN."""
        if not len(values):
            return
        through = self.through
        joined = np.concatenate([self.observed.values, values])
        self.observed = replace(self.observed, values=joined)
        rows = self.model.recipe.transform(
            self.observed.usable(detector), self.model.start, self._expectation(detector)
        )
        new = rows.epochs >= through
        self.epochs = np.concatenate([self.epochs, rows.epochs[new]])
        self.scores = np.concatenate([self.scores, self.forest.score(rows.rows[new])])

    def detect(self, detector: Detector) -> LiveDetection:
        """Detect the events of the window so far."""
        window = ScoredWindow(self.epochs, self.scores, self.observed, self.model.start)
        measured = measure_window(
            window, detector, self.model.recipe, expectation=self._expectation(detector)
        )
        found = detect_anomalies(window, detector, measured, self.model.threshold)
        events = continue_incidents(found.events, self.model.before, detector.period)
        return LiveDetection(replace(found, events=tuple(events)), measured)

    def _expectation(self, detector: Detector) -> Expectation:
        """Return the expectation of the series, which rows and detection share: it takes half of their time."""
        known = self._expected
        if known is None or known[0] is not self.observed or known[1] != self.model.start:
            usable = self.observed.usable(detector)
            known = (
                self.observed,
                self.model.start,
                expect(usable, self.model.start, detector.time_zone),
            )
            self._expected = known
        return known[2]

    def begin_window(self, start: int, before: LastEvent | None) -> None:
        """Begin another window at an epoch second up to the watermark, as a transform that ended there would.

        Without transforms the window would grow for ever.
        """
        first = lead_in_start(self.observed.period, datetime.fromtimestamp(start, UTC))
        self.observed = self.observed.since(first)
        kept = self.epochs >= int(self.observed.start.timestamp())
        self.epochs, self.scores = self.epochs[kept], self.scores[kept]
        self.model = replace(self.model, start=start, before=before)

    def to_bytes(self) -> bytes:
        """Return an .npz of everything."""
        buffer = io.BytesIO()
        np.savez(
            buffer,
            allow_pickle=False,
            model=np.frombuffer(json.dumps(self.model.to_payload()).encode(), np.uint8),
            forest=np.frombuffer(self.forest.to_bytes(), np.uint8),
            start=np.int64(self.observed.start.timestamp()),
            period=np.int64(self.observed.period),
            values=self.observed.values,
            epochs=self.epochs,
            scores=self.scores,
        )
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Read back what `to_bytes` returned. Raises `MalformedState` for anything else."""
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as stored:
                start = datetime.fromtimestamp(int(stored["start"]), UTC)
                return cls(
                    LiveModel.from_payload(json.loads(stored["model"].tobytes())),
                    LearningForest.from_bytes(stored["forest"].tobytes()),
                    Series(start, int(stored["period"]), stored["values"]),
                    stored["epochs"],
                    stored["scores"],
                )
        except Exception as error:  # zipfile, numpy and the forest each have errors of their own
            raise MalformedState(f"not the series of a live detector: {error}") from error
