"""Features of a key's rows: a forest and a baseline for each, as a metric has a forest for each of its features."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cutwatch.detectors.stream import Stream
from cutwatch.features.changes import LONGEST_STEP
from cutwatch.features.recipe import CHANGES_FROM
from cutwatch.streams.baseline import ScoreBaseline
from cutwatch.streams.expectation import Expected, RecentRows
from cutwatch.streams.feature_forest import FeatureForest, of_change
from cutwatch.streams.forest import KeyForest
from cutwatch.streams.key_profile import KeyProfile
from cutwatch.streams.measured import Measured
from cutwatch.streams.steps import lag_one_autocorrelations, step_multiple

if TYPE_CHECKING:
    from cutwatch.detectors.detector import Feature

_Row = tuple[float, ...]


class KeyFeatures:
    """The features of one key; `counted` are those that its severity is the largest of."""

    def __init__(self, stream: Stream, forests: Sequence[FeatureForest]) -> None:
        columns = len(stream.columns)
        self._stream = stream
        self._forests = forests
        self._profile = KeyProfile(columns, stream.time_zone)
        self._residuals = RecentRows(columns)
        self._time: float | None = None
        self._silence = 0.0
        self.counted = stream.feature_names
        if stream.features == "auto":
            self.counted = ("value",)

    @classmethod
    def untrained(
        cls, stream: Stream, key: str, forest: KeyForest, baseline: ScoreBaseline
    ) -> "KeyFeatures":
        """Return features that have learned nothing; forest and baseline of the first are the key's own."""
        first, *others = stream.feature_names
        own = FeatureForest.with_baseline(first, forest, baseline)
        return cls(stream, [own, *(FeatureForest.untrained(stream, key, each) for each in others)])

    def measure(
        self, time: float, values: _Row, recent: RecentRows, limits: Sequence[float]
    ) -> Measured | None:
        """Score a row by each feature; return the one that counts and is most severe, or None while these learn."""
        leading = None
        if self._profile.move_to(time) and self._stream.features == "auto":
            self._choose(recent)
        rows: Mapping[Feature, _Row | None] = {
            "value": values,
            "difference": self._difference(time, values, recent),
            "residual": self._residual(values),
        }
        for each in self._forests:
            found = each.measure(rows[each.feature], self._stream.forest.sample_size)
            if found is None or each.feature not in self.counted:
                continue
            if each.feature == "difference" and any(limits):
                step = step_multiple(recent, values, limits)
                found = found._replace(severity=of_change(found.severity, step))
            if leading is None or found.severity > leading.severity:
                leading = found
        return leading

    def learn(self, time: float, values: _Row) -> None:
        """Learn the row that was scored."""
        for each in self._forests:
            each.learn()
        if residual := self._residual(values):
            self._residuals.add(residual)
        self._profile.add(values)
        if self._time is not None:
            self._silence = time - self._time
        self._time = time

    def _difference(self, time: float, values: _Row, recent: RecentRows) -> _Row:
        """Return the steps from the row before; zeros after a long silence, unless the key's rows are that far apart."""
        if self._time is None or time - self._time > max(LONGEST_STEP, self._silence):
            return (0.0,) * len(values)
        return tuple(value - before for value, before in zip(values, recent.latest(), strict=True))

    def _residual(self, values: _Row) -> _Row | None:
        expected = self._profile.expected
        if not expected:
            return None
        return tuple(value - usual for value, usual in zip(values, expected, strict=True))

    def _choose(self, recent: RecentRows) -> None:
        """Choose features by how smooth the latest rows are, as a metric's are chosen; values always count."""
        if max(lag_one_autocorrelations(recent)) >= CHANGES_FROM:
            self.counted = self._stream.feature_names
        else:
            self.counted = ("value",)

    def expected(self) -> tuple[Expected, ...] | None:
        """Return the value of each column that is usual now, with the range of its latest residuals; None if unknown."""
        ranges = self._residuals.expected()
        if not self._profile.expected:
            return None
        return (
            tuple(
                Expected(usual, usual + each.low, usual + each.high)
                for usual, each in zip(self._profile.expected, ranges, strict=True)
                if each is not None
            )
            or None
        )

    def to_parts(self) -> tuple[bytes, dict[str, Any]]:
        """Return forests beyond the first, residuals and profile as bytes, and the rest as JSON values."""
        others = [each.to_parts() for each in self._forests[1:]]
        profile, payload = self._profile.to_parts()
        residuals = self._residuals.values.tobytes()
        parts = [*(content for content, _ in others), residuals, profile]
        return b"".join(parts), {
            "counted": self.counted,
            "time": self._time,
            "silence": self._silence,
            "residuals": self._residuals.count,
            "profile": payload,
            "lengths": [len(each) for each in parts],
            "forests": [stored for _, stored in others],
        }

    @classmethod
    def from_parts(
        cls,
        content: bytes,
        payload: Mapping[str, Any],
        stream: Stream,
        forest: KeyForest,
        baseline: ScoreBaseline,
    ) -> "KeyFeatures":
        """Read back what `to_parts` returned; forest and baseline are those of the first feature."""
        parts = []
        for length in payload["lengths"]:
            parts.append(content[:length])
            content = content[length:]
        *forests, residuals, profile = parts
        first, *others = stream.feature_names
        known = [FeatureForest.with_baseline(first, forest, baseline)]
        for part, stored, feature in zip(forests, payload["forests"], others, strict=True):
            known.append(FeatureForest.from_parts(part, stored, stream, feature))
        features = cls(stream, known)
        columns = len(stream.columns)
        features.counted = tuple(payload["counted"])
        features._time, features._silence = payload["time"], payload["silence"]
        features._residuals = RecentRows(columns, payload["residuals"], residuals)
        features._profile = KeyProfile.from_parts(
            profile, payload["profile"], columns, stream.time_zone
        )
        return features
