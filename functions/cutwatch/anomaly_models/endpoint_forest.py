"""Random Cut Forest behind a SageMaker endpoint: it does not learn, and its scores are asked for before rows are scored."""

from collections.abc import Iterable, Sequence

import numpy as np

from cutwatch.anomaly_models import model_file
from cutwatch.anomaly_models.model import Rows
from cutwatch.timeseries.arrays import Floats

KIND = "random_cut_forest_endpoint"
# Columns that hardly vary in training have a width of one standard deviation, or of a category e times as rare.
_LEAST_WIDTH = 1.0

Row = tuple[float, ...]


class _Unasked(dict[Row, float]):
    def __missing__(self, _: Row) -> float:
        return 0.0


class EndpointForest:
    """Forest of the SageMaker model `variant`, trained on the features of a configuration.

    `ranges` (d, 3) are median, 5th and 95th percentile of each column in training. Scoring a row without a score raises `KeyError`.
    Missing values are 0, the mean of standardised columns.
    """

    def __init__(self, variant: str, configuration: str, ranges: Floats) -> None:
        self.variant = variant
        self.configuration = configuration
        self._ranges = ranges
        self._scores: dict[Row, float] = {}

    def unscored(self) -> "EndpointForest":
        """Return a forest whose scores are all 0, for rows that only have to be known."""
        forest = EndpointForest(self.variant, self.configuration, self._ranges)
        forest._scores = _Unasked()
        return forest

    def unknown(self, rows: Iterable[Sequence[float]]) -> list[Row]:
        """Return the distinct rows without a score, and forget the scores of all others."""
        wanted = dict.fromkeys(map(present, rows))
        self._scores = {row: self._scores[row] for row in wanted if row in self._scores}
        return [row for row in wanted if row not in self._scores]

    def add(self, rows: Iterable[Row], scores: Iterable[float]) -> None:
        """Take the scores that the endpoint gave rows."""
        self._scores.update(zip(rows, scores, strict=True))

    def score(self, rows: Rows) -> Floats:
        """Return the scores (n,) that were added."""
        return np.array([self._scores[present(row)] for row in rows.values.tolist()], np.float64)

    def contributions(self, rows: Rows) -> Floats:
        """Return the distances of the columns from their medians (n, d), in widths of their ranges."""
        median, low, high = self._ranges.T
        distances: Floats = np.nan_to_num(rows.values, nan=0.0) - median
        widths: Floats = np.maximum(high - low, _LEAST_WIDTH)
        return np.asarray(distances / widths)

    def learn(self, rows: Rows) -> None:
        """Change nothing: SageMaker trains the forest as a whole."""

    def to_bytes(self) -> bytes:
        """Return variant, configuration and ranges in the form that `from_bytes` reads."""
        header = {"variant": self.variant, "configuration": self.configuration}
        return model_file.to_bytes(KIND, header, [self._ranges.tobytes()])

    @classmethod
    def from_bytes(cls, content: bytes) -> "EndpointForest":
        """Read back what `to_bytes` returned. Raises `MalformedState`."""
        header, [ranges] = model_file.from_bytes(KIND, content)
        return cls(header["variant"], header["configuration"], model_file.floats(ranges, 3))


def present(row: Sequence[float]) -> Row:
    """Return a row with 0 for missing values, as an endpoint is sent it."""
    return tuple(0.0 if value != value else value for value in row)  # noqa: PLR0124 - NaN
