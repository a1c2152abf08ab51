"""Mistakes of the model that an entry of `streams:` chooses."""

import re
from collections.abc import Iterator
from typing import Protocol

from cutwatch.detectors.metric_source import Problem
from cutwatch.detectors.stream_window import StreamWindow

_VERSION = re.compile(r"[0-9a-f]{12}")


class StreamWithModel(Protocol):
    """The settings of a stream that depend on its model."""

    @property
    def model(self) -> str:
        """Kind of the model."""

    @property
    def model_version(self) -> str:
        """Version that the entry names, or empty."""

    @property
    def log(self) -> object:
        """Format of the log records, or None."""

    @property
    def forest(self) -> object:
        """Settings of a forest, equal to those without arguments by default."""

    @property
    def window(self) -> StreamWindow:
        """Windows of the records."""

    @property
    def needs_training(self) -> bool:
        """True if the stream cannot be scored without a trained model."""

    @property
    def is_of_kafka(self) -> bool:
        """True if the records come from Kafka."""

    @property
    def is_scored_by_endpoint(self) -> bool:
        """True if a SageMaker endpoint scores the records."""


def model_problems(stream: StreamWithModel) -> Iterator[Problem]:
    """Yield the mistakes in the model of a stream and in the settings that depend on it."""
    if stream.model == "harmonic_regression" and stream.window.type != "tumbling":
        yield "model", "harmonic_regression needs rows in even steps; add window.type: tumbling"
    if stream.model != "random_cut_forest" and stream.forest != type(stream.forest)():
        yield "forest", f"belongs to model: random_cut_forest, not {stream.model}"
    if stream.model_version and not _VERSION.fullmatch(stream.model_version):
        yield (
            "model_version",
            f"{stream.model_version!r} is not the digest that `cutwatch train` prints, such as 0f3c5a7b9d12",
        )
    if stream.model_version and not stream.needs_training:
        yield "model_version", "is of no use: a forest of plain records learns on its own"
    yield from _endpoint_problems(stream)


def _endpoint_problems(stream: StreamWithModel) -> Iterator[Problem]:
    if not stream.is_scored_by_endpoint:
        return
    if stream.log is None or not stream.is_of_kafka:
        yield (
            "model",
            "random_cut_forest_endpoint scores log records of a Kafka topic; a table has engine: endpoint",
        )
    if stream.window.size is not None:
        yield "window", "random_cut_forest_endpoint scores single records; leave window out"
    if stream.model_version:
        yield (
            "model_version",
            "is of no use: the endpoint decides which model scores the records",
        )
