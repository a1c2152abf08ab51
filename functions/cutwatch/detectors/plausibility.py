"""Warnings about values that are valid but probably not meant."""

from collections.abc import Iterator

from cutwatch.detectors.detector import Detector
from cutwatch.detectors.stream import Stream
from cutwatch.detectors.validation_errors import Mistake, Path

_UNLIKELY_SHARE = 1.0
_FEWEST_DAYS = 7
# Measured: benchmarks/shared_forest.py.
SHARED_FOREST_RECORDS = 10_000


def stream_doubts(stream: Stream, path: Path) -> Iterator[Mistake]:
    """Yield the values of a stream that are unlikely to be meant; `path` is its place in the file."""
    if not stream.record.key:
        yield Mistake(
            (*path, "record"),
            "without key, all shards share one forest, which takes some "
            f"{SHARED_FOREST_RECORDS:,} records per second, however many shards there are; see docs/streams.md",
        )


def doubts(detector: Detector, path: Path) -> Iterator[Mistake]:
    """Yield the values of a detector that are unlikely to be meant; `path` is its place in the file."""
    relative = detector.minimum_deviation.relative
    if relative is not None and relative > _UNLIKELY_SHARE:
        yield Mistake(
            (*path, "minimum_deviation", "relative"),
            f"{relative:g} is {relative * 100:,.0f} % of the expected value; write {relative / 100:g} for {relative:g} %",
        )
    if detector.cutoff.sigmas is not None and detector.cutoff.method == "adaptive":
        yield Mistake(
            (*path, "cutoff", "sigmas"),
            "has no effect with the method adaptive; use sensitivity, or the method training or window",
        )
    if detector.history_days is not None and detector.history_days < _FEWEST_DAYS:
        yield Mistake(
            (*path, "history_days"),
            f"{detector.history_days} is less than a week; quiet weekends cannot be learned",
        )
    for name, value in detector.dimensions.items():
        if "*" in value:
            yield Mistake(
                (*path, "dimensions", name),
                f"{value!r} is taken literally; CloudWatch has no wildcards, but for_each: {name} watches every value",
            )
