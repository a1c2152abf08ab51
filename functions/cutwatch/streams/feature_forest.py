"""The forest of one feature of a key, and the baseline of its scores."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cutwatch.anomaly_models.forest_options import WARM_UP_ROWS
from cutwatch.detection.parameters import DEFAULT
from cutwatch.detectors.detector import Feature
from cutwatch.detectors.stream import Stream
from cutwatch.streams.baseline import ScoreBaseline
from cutwatch.streams.forest import KeyForest
from cutwatch.streams.measured import Measured

# The least cutoff of each feature's scores, in standard deviations. docs/streams.md has the measurements.
LEVELS: Mapping[Feature, float] = {
    "value": DEFAULT.level,
    "difference": DEFAULT.change_forest,
    "residual": 3.0,
}
# A change counts by the smaller of the forest's and the step's multiple, of which this share remains.
_SHARE_OF_CHANGE = 0.6


@dataclass(slots=True)
class FeatureForest:
    """The forest of one feature and the baseline of its scores; `shingle` is of the row that is being scored."""

    feature: Feature
    forest: KeyForest
    baseline: ScoreBaseline
    shingle: tuple[float, ...] | None = None

    def measure(self, row: tuple[float, ...] | None, sample_size: int) -> Measured | None:
        """Score the feature's row; None while the forest learns. No row is neither scored nor learned."""
        forest = self.forest
        shingle = self.shingle = None if row is None else forest.shingled(row)
        if shingle is None or forest.learned < WARM_UP_ROWS:
            return None
        score = forest.score(shingle)
        severity = self.baseline.severity(score)
        if forest.learned < sample_size:
            return None
        return Measured(score, severity, forest, shingle)

    def learn(self) -> None:
        """Learn the row that was scored."""
        if self.shingle is not None:
            self.forest.learn(self.shingle)

    def to_parts(self) -> tuple[bytes, dict[str, Any]]:
        """Return the forest's bytes, and the rest as JSON values."""
        content, latest = self.forest.to_parts()
        learned, baseline = self.forest.learned, self.baseline.to_payload()
        return content, {"latest": latest, "learned": learned, "baseline": baseline}

    @classmethod
    def untrained(cls, stream: Stream, key: str, feature: Feature) -> "FeatureForest":
        """Return a forest that has learned nothing, with random numbers of its own."""
        forest = KeyForest.untrained(stream, f"{key} {feature}")
        return cls.with_baseline(feature, forest, ScoreBaseline(cutoff=LEVELS[feature]))

    @classmethod
    def with_baseline(
        cls, feature: Feature, forest: KeyForest, baseline: ScoreBaseline
    ) -> "FeatureForest":
        """Return a forest with the least cutoff of its feature; a single score of residuals does not count."""
        baseline.least = LEVELS[feature]
        baseline.single = feature != "residual"
        if not baseline.scores:
            baseline.cutoff = baseline.least
        return cls(feature, forest, baseline)

    @classmethod
    def from_parts(
        cls, content: bytes, payload: Mapping[str, Any], stream: Stream, feature: Feature
    ) -> "FeatureForest":
        """Read back what `to_parts` returned."""
        forest = KeyForest.from_parts(content, payload["latest"], stream, payload["learned"])
        return cls.with_baseline(feature, forest, ScoreBaseline.from_payload(payload["baseline"]))


def of_change(severity: float, step: float) -> float:
    """Return the severity of a change: a rare step of its forest that is large as well."""
    return _SHARE_OF_CHANGE * min(severity, step)
