from pathlib import Path

import pytest

from cutwatch.errors import InvalidDetectors, InvalidInput
from cutwatch.streams.lambda_preprocessor import LambdaPreprocessor
from cutwatch.streams.preprocessing import PythonPreprocessor
from cutwatch_cli.streams.stream_functions import NO_FUNCTIONS, check_functions, load_functions
from tests.support.streams import a_stream

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:clean"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "own.py").write_text("def clean(data): return None\ndef extend(event): return {}\n")
    return tmp_path


def test_a_stream_may_name_no_functions(folder: Path) -> None:
    assert load_functions(folder, a_stream()) == NO_FUNCTIONS


def test_python_functions_are_loaded(folder: Path) -> None:
    found = load_functions(folder, a_stream(preprocess="own:clean", postprocess="own:extend"))
    assert isinstance(found.preprocessor, PythonPreprocessor)
    assert found.postprocessor is not None


def test_a_lambda_function_needs_a_client(folder: Path) -> None:
    stream = a_stream(preprocess=ARN)
    assert isinstance(load_functions(folder, stream, object()).preprocessor, LambdaPreprocessor)
    with pytest.raises(InvalidInput, match="stream 'sensors': preprocess is a Lambda function; add --invoke"):  # fmt: skip
        load_functions(folder, stream)


def test_every_function_that_is_missing_is_named(folder: Path) -> None:
    streams = [a_stream(preprocess="own:clen", postprocess="no:extend"), a_stream(preprocess=ARN)]
    assert check_functions(folder, streams) == [
        "stream 'sensors': preprocess: 'own:clen': own.py has no function clen",
        "stream 'sensors': postprocess: 'no:extend': there is no file no.py next to detectors.yaml",
    ]
    with pytest.raises(InvalidDetectors, match="has no function clen"):
        load_functions(folder, streams[0])
