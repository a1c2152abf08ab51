"""The forest of one key: it scores a row, then learns it, as RANDOM_CUT_FOREST does in SQL."""

from collections.abc import Sequence
from typing import NamedTuple
from zlib import crc32

from krcf import RandomCutForest

from cutwatch.anomaly_models.forest_options import forest_options
from cutwatch.detectors.detector import Direction
from cutwatch.detectors.stream import ForestSettings, Stream

# What is subtracted from a value, and what the rest is divided by.
Scale = tuple[float, float]


class Attribution(NamedTuple):
    """The part of a score that a column has, and the side on which its value lies."""

    score: float
    direction: Direction


class KeyForest:
    """Random Cut Forest over the latest `shingle_size` rows of a key, and the number of rows that it has learned.

    Where it began with the forest of a detector, it sees values on that one's `scale`.
    """

    __slots__ = ("_columns", "_forest", "_latest", "_width", "learned", "scale")

    def __init__(
        self,
        forest: RandomCutForest,
        settings: ForestSettings,
        columns: int,
        learned: int = 0,
        scale: Scale | None = None,
    ) -> None:
        self._forest = forest
        self._columns = columns
        self._width = columns * settings.shingle_size
        self._latest: tuple[float, ...] = ()
        self.learned = learned
        self.scale = scale

    @classmethod
    def untrained(cls, stream: Stream, key: str) -> "KeyForest":
        """Return a forest that has learned nothing; key and configuration decide its random numbers."""
        columns, settings = len(stream.columns), stream.forest
        options = forest_options(settings, columns, forest_seed(stream, key))
        return cls(RandomCutForest(options), settings, columns)

    def shingled(self, row: tuple[float, ...]) -> tuple[float, ...] | None:
        """Return the row behind those before it, oldest first; None until there are enough."""
        if self.scale is not None:
            centre, spread = self.scale
            row = tuple((value - centre) / spread for value in row)
        if self._columns == self._width:
            return row
        self._latest = (self._latest + row)[-self._width :]
        return self._latest if len(self._latest) == self._width else None

    def score(self, shingle: Sequence[float], time: float = 0.0) -> float:  # noqa: ARG002 - models of series need it
        """Return the score of a shingle, >= 0; 0 during the warm-up."""
        score: float = self._forest.score(shingle)
        return score

    def learn(self, shingle: Sequence[float], time: float = 0.0) -> None:  # noqa: ARG002 - see score
        """Learn a shingle."""
        self._forest.update(shingle)
        self.learned += 1

    def attribute(self, shingle: Sequence[float], time: float = 0.0) -> tuple[Attribution, ...]:  # noqa: ARG002 - see score
        """Return the attribution of a shingle's score to the columns; their scores add up to it."""
        found = self._forest.attribution(shingle)
        columns = range(self._columns)
        highs = [sum(found["high"][place :: self._columns]) for place in columns]
        lows = [sum(found["low"][place :: self._columns]) for place in columns]
        return tuple(
            Attribution(high + low, "above" if high >= low else "below")
            for high, low in zip(highs, lows, strict=True)
        )

    def to_parts(self) -> tuple[bytes, list[float]]:
        """Return the forest's bytes and the latest rows."""
        return bytes(self._forest.to_msgpack()), list(self._latest)

    @classmethod
    def from_parts(
        cls,
        content: bytes,
        latest: Sequence[float],
        stream: Stream,
        learned: int,
        scale: Scale | None = None,
    ) -> "KeyForest":
        """Read back what `to_parts` returned; the forest continues exactly where that one was."""
        restored = cls(
            RandomCutForest.from_msgpack(content),
            stream.forest,
            len(stream.columns),
            learned,
            scale,
        )
        restored._latest = tuple(latest)
        return restored


def forest_seed(stream: Stream, key: str) -> int:
    """Return the seed of a key's forest: equal configurations and records grow equal forests."""
    return crc32(f"{stream.name} {stream.fingerprint} {key}".encode("utf-8", "surrogatepass"))
