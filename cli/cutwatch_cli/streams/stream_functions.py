"""Functions, reference data and first forest that a stream names, loaded for a backtest, and checked by `cutwatch validate`."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cutwatch.detectors.python_function import LAMBDA_ARN, load_function
from cutwatch.detectors.stream import Stream
from cutwatch.errors import InvalidDetectors, InvalidInput, InvalidReference
from cutwatch.streams.detector_forest import DetectorForest
from cutwatch.streams.lambda_postprocessor import LambdaPostprocessor
from cutwatch.streams.lambda_preprocessor import LambdaPreprocessor
from cutwatch.streams.postprocessing import Postprocessor
from cutwatch.streams.preprocessing import Preprocessor, PythonPreprocessor
from cutwatch.streams.reference import Reference, ReferenceTable


@dataclass(frozen=True)
class StreamFunctions:
    """Preprocessor, postprocessor and reference data of a stream, and the forest that keys begin with; None for each that it does not name."""

    preprocessor: Preprocessor | None = None
    postprocessor: Postprocessor | None = None
    reference: Reference | None = None
    first: DetectorForest | None = None


NO_FUNCTIONS = StreamFunctions()


def check_functions(folder: Path, streams: Iterable[Stream]) -> list[str]:
    """Return a line for each Python function that cannot be imported from the folder of the detectors file."""
    mistakes: list[str] = []
    for stream in streams:
        for field in ("preprocess", "postprocess"):
            name = getattr(stream, field)
            try:
                if name and not LAMBDA_ARN.fullmatch(name):
                    load_function(folder, name)
            except InvalidDetectors as error:
                mistakes.append(f"stream {stream.name!r}: {field}: {error}")
    return mistakes


def load_functions(
    folder: Path,
    stream: Stream,
    lambda_client: Any = None,
    reference: Path | None = None,
    cold_start: Path | None = None,
) -> StreamFunctions:
    """Return the functions of a stream, and its reference data and first forest from copies in files.

    Without a file, keys begin with nothing. Raises `InvalidDetectors`, `InvalidInput` for a Lambda function without a client, reference data without
    a file, or a file that the stream does not declare, `InvalidReference`, `MalformedState`, and `OSError`.
    """
    mistakes = check_functions(folder, [stream])
    if mistakes:
        raise InvalidDetectors("\n".join(mistakes))
    for field, name in (("preprocess", stream.preprocess), ("postprocess", stream.postprocess)):
        if LAMBDA_ARN.fullmatch(name) and lambda_client is None:
            raise InvalidInput(
                f"stream {stream.name!r}: {field} is a Lambda function; add --invoke to call it with the file's records"
            )
    preprocessor: Preprocessor | None = None
    if LAMBDA_ARN.fullmatch(stream.preprocess):
        preprocessor = LambdaPreprocessor(lambda_client, stream.preprocess, stream.source)
    elif stream.preprocess:
        preprocessor = PythonPreprocessor(load_function(folder, stream.preprocess))
    postprocessor = _postprocessor(folder, stream, lambda_client)
    return StreamFunctions(
        preprocessor, postprocessor, _reference(stream, reference), _first(stream, cold_start)
    )


def _postprocessor(folder: Path, stream: Stream, lambda_client: Any) -> Postprocessor | None:
    if not stream.postprocess:
        return None
    if LAMBDA_ARN.fullmatch(stream.postprocess):
        return Postprocessor(LambdaPostprocessor(lambda_client, stream.postprocess))
    return Postprocessor(load_function(folder, stream.postprocess))


def _first(stream: Stream, path: Path | None) -> DetectorForest | None:
    if path is None:
        return None
    found = DetectorForest.from_bytes(path.read_bytes())
    if found.detector != stream.cold_start:
        declared = f"cold_start: {stream.cold_start!r}" if stream.cold_start else "no cold_start"
        raise InvalidInput(
            f"stream {stream.name!r} has {declared}, but {path} has the forest of detector {found.detector!r}"
        )
    return found


def _reference(stream: Stream, path: Path | None) -> Reference | None:
    declared = stream.reference
    if not declared.s3:
        if path is not None:
            raise InvalidInput(f"stream {stream.name!r} declares no reference data for {path}")
        return None
    if path is None:
        raise InvalidInput(
            f"stream {stream.name!r}: the reference data are in {declared.s3}; add --reference FILE with a copy of it"
        )
    try:
        return ReferenceTable.from_bytes(path.read_bytes(), declared)
    except InvalidReference as error:
        raise InvalidReference(str(error).replace(declared.s3, str(path), 1)) from None
