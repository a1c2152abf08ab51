"""SageMaker's built-in Random Cut Forest: its hyperparameters, its input, its model, its scores."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from krcf import RandomCutForest
from numpy.typing import NDArray

from localaws.limits import RCF_FEATURE_DIM, RCF_NUM_SAMPLES_PER_TREE, RCF_NUM_TREES
from localaws.sagemaker.jobs import JobFailure

Rows = NDArray[np.float64]
Forest = tuple[RandomCutForest, ...]

_RANGES = {
    "feature_dim": RCF_FEATURE_DIM,
    "num_trees": RCF_NUM_TREES,
    "num_samples_per_tree": RCF_NUM_SAMPLES_PER_TREE,
}
_DEFAULTS = {"num_trees": "100", "num_samples_per_tree": "256", "eval_metrics": ""}
_MODEL_FILE = "model_algo-1"
_LENGTH = 8


@dataclass(frozen=True)
class Hyperparameters:
    feature_dim: int
    num_trees: int
    num_samples_per_tree: int

    @classmethod
    def parse(cls, given: Mapping[str, str]) -> Self:
        """Read the strings that SageMaker passes on, as strictly as the algorithm does."""
        for name in given.keys() - _RANGES.keys() - _DEFAULTS.keys():
            raise _hyperparameter_error(
                f"Additional hyperparameters are not allowed ('{name}' was unexpected)"
            )
        if "feature_dim" not in given:
            raise _hyperparameter_error("'feature_dim' is a required hyperparameter")
        texts = {**_DEFAULTS, **given}
        return cls(**{name: _integer(name, texts[name]) for name in _RANGES})


def parse_rows(content: bytes, feature_dim: int, source: str) -> Rows:
    """Parse CSV without a header: one observation a line, every value a finite number."""
    text = content.decode("utf-8", errors="replace")
    try:
        rows = np.array([line.split(",") for line in text.splitlines() if line], dtype=np.float64)
    except ValueError:
        raise _data_error(source) from None
    if rows.size == 0 or not np.isfinite(rows).all():
        raise _data_error(source)
    if rows.shape[1] != feature_dim:
        raise JobFailure(
            f"ClientError: The dimension of the data in '{source}' is {rows.shape[1]}, but the "
            f"hyperparameter feature_dim is {feature_dim}. (caused by ValueError)"
        )
    return rows


def train(rows: Rows, parameters: Hyperparameters) -> bytes:
    """Train a static forest; the same rows and hyperparameters give the same forest.

    As SageMaker documents it, one sample is drawn without replacement and dealt out to the trees.
    """
    seed = int.from_bytes(
        hashlib.sha256(rows.tobytes() + repr(parameters).encode()).digest()[:4], "big"
    )
    size = min(len(rows) // parameters.num_trees, parameters.num_samples_per_tree)
    shuffled = np.random.default_rng(seed).permutation(rows)
    # Fewer rows than trees: some trees stay without any, and those that have one say nothing.
    parts = [
        shuffled[k :: parameters.num_trees][: max(size, 1)] for k in range(parameters.num_trees)
    ]
    trees = [_tree(part, seed + k) for k, part in enumerate(parts) if len(part)]
    return _pack(b"".join(len(tree).to_bytes(_LENGTH, "big") + tree for tree in trees))


def load(artefact: bytes) -> Forest:
    """Return the forest in a model artefact: its trees, each as a forest of one."""
    content = _unpack(artefact)
    trees = []
    try:
        while content:
            end = _LENGTH + int.from_bytes(content[:_LENGTH], "big")
            trees.append(RandomCutForest.from_msgpack(content[_LENGTH:end]))
            content = content[end:]
    except RuntimeError as error:
        reason = str(error).partition("\n")[0]
        raise JobFailure(f"ModelError: Unable to load the model: {reason}") from error
    if not trees:
        raise JobFailure("ModelError: Unable to load the model: it has no trees")
    return tuple(trees)


def score(forest: Forest, rows: Rows) -> list[float]:
    """Score each row, in order: the mean over the trees; higher is more anomalous."""
    listed = rows.tolist()
    by_tree = np.array([[tree.score(row) for row in listed] for tree in forest])
    means: list[float] = by_tree.mean(axis=0).tolist()
    return means


def _tree(rows: Rows, seed: int) -> bytes:
    options: Any = {
        "dimensions": rows.shape[1],
        "shingle_size": 1,
        "num_trees": 1,
        "sample_size": max(len(rows), 2),
        "lambda": 0.0,
        "output_after": 1,
        "random_seed": seed,
        "internal_shingling": False,
        "parallel_execution_enabled": False,
    }
    tree = RandomCutForest(options)
    for row in rows:
        tree.update(row)
    return bytes(tree.to_msgpack())


def jsonlines(scores: Sequence[float]) -> bytes:
    return "".join(json.dumps({"score": value}) + "\n" for value in scores).encode()


def _pack(model: bytes) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo(_MODEL_FILE)
        entry.size = len(model)
        tar.addfile(entry, io.BytesIO(model))
    return gzip.compress(archive.getvalue(), compresslevel=1, mtime=0)


def _unpack(artefact: bytes) -> bytes:
    try:
        with tarfile.open(fileobj=io.BytesIO(artefact), mode="r|gz") as tar:
            for entry in tar:
                model = tar.extractfile(entry)
                if entry.name == _MODEL_FILE and model is not None:
                    return model.read()
    except (tarfile.TarError, OSError) as error:
        raise JobFailure(f"ModelError: Unable to load the model: {error}") from error
    raise JobFailure(f"ModelError: Unable to load the model: it has no {_MODEL_FILE}")


def _integer(name: str, text: str) -> int:
    allowed = _RANGES[name]
    if not text.strip().isdigit():
        raise _hyperparameter_error(f"'{text}' of {name} is not of type 'integer'")
    value = int(text)
    if value not in allowed:
        raise _hyperparameter_error(
            f"{value} of {name} is not between {allowed.start} and {allowed.stop - 1}"
        )
    return value


def _hyperparameter_error(cause: str) -> JobFailure:
    return JobFailure(
        "ClientError: Unable to initialize the algorithm. Failed to validate hyperparameters. "
        f"(caused by ValidationError) Caused by: {cause}"
    )


def _data_error(source: str) -> JobFailure:
    return JobFailure(
        f"ClientError: Unable to read data channel 'train' from '{source}'. Requested content-type "
        "is 'text/csv;label_size=0'. Please verify the data matches the requested content-type. "
        "(caused by MXNetError)"
    )
