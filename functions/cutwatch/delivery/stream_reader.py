"""The functions and the reference data that a stream declares, as its execution environment uses them."""

from pathlib import Path

from cutwatch.aws.clients import client
from cutwatch.detectors.python_function import LAMBDA_ARN, load_function
from cutwatch.detectors.stream import Stream
from cutwatch.streams.function_call import POSTPROCESSOR_SECONDS, PREPROCESSOR_SECONDS
from cutwatch.streams.lambda_postprocessor import LambdaPostprocessor
from cutwatch.streams.lambda_preprocessor import LambdaPreprocessor
from cutwatch.streams.postprocessing import Postprocessor
from cutwatch.streams.preprocessing import Preprocessor, PythonPreprocessor
from cutwatch.streams.record_reader import RecordReader
from cutwatch.streams.s3_reference import S3Reference


def stream_reader(stream: Stream, folder: Path, stream_arn: str) -> RecordReader:
    """Return the reader of a stream's records; `folder` has its Python functions. Raises `InvalidDetectors`."""
    reference = S3Reference(client("s3"), stream.reference) if stream.reference.s3 else None
    return RecordReader(stream, _preprocessor(stream, folder, stream_arn), reference)


def stream_postprocessor(stream: Stream, folder: Path) -> Postprocessor | None:
    """Return the function that adds fields to the stream's events, if it declares one. Raises `InvalidDetectors`."""
    if not stream.postprocess:
        return None
    if LAMBDA_ARN.fullmatch(stream.postprocess):
        function = client("lambda", answer_seconds=POSTPROCESSOR_SECONDS)
        return Postprocessor(LambdaPostprocessor(function, stream.postprocess))
    return Postprocessor(load_function(folder, stream.postprocess))


def _preprocessor(stream: Stream, folder: Path, stream_arn: str) -> Preprocessor | None:
    if not stream.preprocess:
        return None
    if LAMBDA_ARN.fullmatch(stream.preprocess):
        function = client("lambda", answer_seconds=PREPROCESSOR_SECONDS)
        return LambdaPreprocessor(function, stream.preprocess, stream_arn)
    return PythonPreprocessor(load_function(folder, stream.preprocess))
