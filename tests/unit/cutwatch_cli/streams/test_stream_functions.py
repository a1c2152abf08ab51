from pathlib import Path

import pytest

from cutwatch.detectors.reference_data import ReferenceData
from cutwatch.errors import InvalidDetectors, InvalidInput, InvalidReference
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


def test_a_lambda_postprocessor_needs_a_client_too(folder: Path) -> None:
    stream = a_stream(postprocess=ARN)
    assert load_functions(folder, stream, object()).postprocessor is not None
    with pytest.raises(InvalidInput, match="stream 'sensors': postprocess is a Lambda function; add --invoke"):  # fmt: skip
        load_functions(folder, stream)


REFERENCE = ReferenceData("s3://bucket/machines.csv", "id", "id")


def test_reference_data_are_read_from_a_copy(folder: Path) -> None:
    stream, copy = a_stream(reference=REFERENCE), folder / "copy.csv"
    copy.write_text("id,limit\na,5\n")
    found = load_functions(folder, stream, reference=copy).reference
    assert found is not None
    assert found.row("a") == {"id": "a", "limit": 5}

    with pytest.raises(InvalidInput, match=r"the reference data are in s3://bucket/machines.csv; add --reference FILE"):  # fmt: skip
        load_functions(folder, stream)
    with pytest.raises(InvalidInput, match="stream 'sensors' declares no reference data"):
        load_functions(folder, a_stream(), reference=copy)


def test_a_copy_that_cannot_be_read_is_named(folder: Path) -> None:
    (folder / "copy.csv").write_text("limit\n5\n")
    with pytest.raises(InvalidReference, match=r"copy.csv: the header has no column 'id'$"):
        load_functions(folder, a_stream(reference=REFERENCE), reference=folder / "copy.csv")


def test_every_function_that_is_missing_is_named(folder: Path) -> None:
    streams = [a_stream(preprocess="own:clen", postprocess="no:extend"), a_stream(preprocess=ARN)]
    assert check_functions(folder, streams) == [
        "stream 'sensors': preprocess: 'own:clen': own.py has no function clen",
        "stream 'sensors': postprocess: 'no:extend': there is no file no.py next to detectors.yaml",
    ]
    with pytest.raises(InvalidDetectors, match="has no function clen"):
        load_functions(folder, streams[0])
