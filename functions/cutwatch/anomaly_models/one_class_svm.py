"""One-class SVM with a Gaussian kernel, scored with numpy. `svm_training` fits it with scikit-learn."""

import numpy as np

from cutwatch.anomaly_models import model_file
from cutwatch.anomaly_models.model import Rows
from cutwatch.timeseries.arrays import Floats

KIND = "one_class_svm"
# Rows that are scored at once: the kernel needs rows x vectors x columns numbers.
_CHUNK = 256
# Rows far from every vector have a density of 0, which has no logarithm.
_LEAST_SHARE = 1e-300


class OneClassSvm:
    """Fitted machine: support `vectors` (m, d), their `weights` (m,), the kernel's `gamma`.

    A score is the logarithm of the largest possible kernel density by that of the row: 0 or more. It still grows
    where the machine's decision function is flat. Rows that the machine calls outliers score more than `border`. It learns only in
    training.
    """

    def __init__(self, vectors: Floats, weights: Floats, gamma: float, border: float) -> None:
        self._vectors = vectors
        self._weights = weights
        self._gamma = gamma
        self._total = float(weights.sum())
        self.border = border

    def score(self, rows: Rows) -> Floats:
        """Return the scores (n,)."""
        return np.log(self._total / np.maximum(self.density(rows), self._total * _LEAST_SHARE))

    def density(self, rows: Rows) -> Floats:
        """Return the weighted sum of the kernel over the support vectors (n,): the decision function plus its offset."""
        values = np.nan_to_num(rows.values, nan=0.0)
        chunks = [values[start : start + _CHUNK] for start in range(0, len(values), _CHUNK)]
        return np.concatenate([self._density(chunk) for chunk in chunks] or [np.empty(0)])

    def contributions(self, rows: Rows) -> Floats:
        """Return the squared distances from the vectors' mean by column (n, d), negative for values below it."""
        center = self._weights @ self._vectors / self._total
        differences = np.nan_to_num(rows.values, nan=0.0) - center
        return np.sign(differences) * differences**2

    def _density(self, values: Floats) -> Floats:
        differences = values[:, np.newaxis, :] - self._vectors
        distances = np.einsum("nmd,nmd->nm", differences, differences)
        density: Floats = np.exp(-self._gamma * distances) @ self._weights
        return density

    def learn(self, rows: Rows) -> None:
        """Change nothing: a one-class SVM is fitted as a whole."""

    def to_bytes(self) -> bytes:
        """Return the machine in the form that `from_bytes` reads."""
        header = {"columns": self._vectors.shape[1], "gamma": self._gamma, "border": self.border}
        return model_file.to_bytes(KIND, header, [self._vectors.tobytes(), self._weights.tobytes()])

    @classmethod
    def from_bytes(cls, content: bytes) -> "OneClassSvm":
        """Read back what `to_bytes` returned. Raises `MalformedState`."""
        header, [vectors, weights] = model_file.from_bytes(KIND, content)
        return cls(
            model_file.floats(vectors, header["columns"]),
            model_file.floats(weights),
            header["gamma"],
            header["border"],
        )
