"""Cold start of a stream from a detector: whether the detector's forest can go on with the stream's rows."""

from collections.abc import Iterator, Mapping

from cutwatch.detectors.detector import Detector
from cutwatch.detectors.stream import ForestSettings, Stream
from cutwatch.detectors.templates import DetectorTemplate

# Parameters of a detector's forest with engine: lambda; its time decay is the library's default, ten samples.
DETECTOR_FOREST = ForestSettings(trees=30, sample_size=512, time_decay=5_120)


def cold_start_problems(
    stream: Stream, entries: Mapping[str, Detector | DetectorTemplate]
) -> Iterator[str]:
    """Yield why a stream cannot begin with the forest of the detector that its `cold_start` names."""
    if not stream.cold_start:
        return
    yield from _stream_problems(stream)
    yield from _forest_problems(stream.forest)
    detector = entries.get(stream.cold_start)
    if isinstance(detector, Detector):
        yield from _detector_problems(stream, detector)
    elif detector is not None:
        yield f"{stream.cold_start!r} is a template; name a detector that is declared without for_each"
    else:
        names = ", ".join(each.name for each in entries.values() if _is_usable(each)) or "none"
        yield (
            f"{stream.cold_start!r} is not a detector of this file; detectors with engine: lambda and features: [value] are {names}"
        )


def _is_usable(entry: Detector | DetectorTemplate) -> bool:
    return isinstance(entry, Detector) and (entry.engine, entry.features) == ("lambda", ("value",))


def _stream_problems(stream: Stream) -> Iterator[str]:
    name = stream.cold_start
    if stream.is_of_kafka:
        yield f"{name!r} cannot be used with source {stream.source!r}; only streams of Kinesis begin with a detector's forest"
    if stream.needs_training:
        kind = "a log" if stream.log is not None else f"model {stream.model}"
        yield f"{name!r} cannot be used with {kind}, which begins with its trained model; remove cold_start"
    if stream.features is not None:
        yield f"{name!r} has one forest, of values, but the stream has features: {_shown(stream.features)}; remove features"
    if len(stream.columns) != 1:
        yield f"{name!r} has one column, but the stream has {len(stream.columns)}: {', '.join(stream.columns)}; keep one"
    if stream.window.type not in ("none", "tumbling"):
        yield f"rows of detectors do not overlap, but the stream has window.type: {stream.window.type}; use none or tumbling"


def _forest_problems(given: ForestSettings) -> Iterator[str]:
    expected, found = _parameters(DETECTOR_FOREST), _parameters(given)
    if found != expected:
        yield f"forests of detectors have {expected}, but the stream's forest has {found}; write forest: {{{expected}}}"


def _detector_problems(stream: Stream, detector: Detector) -> Iterator[str]:
    name, shingle = stream.cold_start, stream.forest.shingle_size
    if detector.engine != "lambda":
        yield f"{name!r} has engine: {detector.engine}, whose forest does not learn; set engine: lambda for the detector"
    if detector.features != ("value",):
        yield f"{name!r} has features: {_shown(detector.features)}, but the stream's rows are values; set features: [value] for the detector"
    if detector.shingle_size != shingle:
        yield f"{name!r} has shingle_size: {detector.shingle_size}, but the stream has forest.shingle_size: {shingle}; make them equal"
    if stream.window.type == "tumbling" and stream.window.size != detector.period:
        yield f"{name!r} has period: {detector.period}, but the stream has window.size: {stream.window.size:g}; make them equal"


def _parameters(forest: ForestSettings) -> str:
    return (
        f"trees: {forest.trees}, sample_size: {forest.sample_size}, time_decay: {forest.time_decay}"
    )


def _shown(features: str | tuple[str, ...]) -> str:
    return features if isinstance(features, str) else f"[{', '.join(features)}]"
