import json
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutwatch.aws.s3 import Bucket
from cutwatch.datasets.description import TrainingDescription, WindowDescription
from cutwatch.datasets.storage import (
    find_dataset,
    read_description,
    read_epochs,
    read_scores,
    store_dataset,
)
from cutwatch.errors import ConnectionLost, MalformedObject, MalformedScores, NotFound
from cutwatch.features.recipe import FeatureRows
from tests.support.builders import a_dataset, a_training_description, a_window_description
from tests.support.fakes import Fake

PREFIX = "data/orders/1/"


class FakeS3(Fake):
    """Objects in memory, in the order in which they were written."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803
        self.objects[Key] = Body

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        if Key not in self.objects:
            raise NotFound("GetObject", "NoSuchKey", Key)
        return {"Body": BytesIO(self.objects[Key])}


def a_bucket(**objects: str) -> Bucket:
    s3 = FakeS3()
    s3.objects = {key: content.encode() for key, content in objects.items()}
    return Bucket(s3, "bucket")


def features(*rows: list[float]) -> FeatureRows:
    """Rows of consecutive minutes."""
    return FeatureRows(np.array(rows), 1_790_000_040 + 60 * np.arange(len(rows), dtype=np.int64))


def scored(*files: str) -> Bucket:
    names = (f"scores/part-{number:05}.csv.out" for number in range(len(files)))
    return a_bucket(**dict(zip(names, files, strict=True)))


def lines(*scores: float) -> str:
    return "".join(json.dumps({"score": score}) + "\n" for score in scores)


def test_the_description_is_written_last_so_that_it_stands_for_a_complete_dataset() -> None:
    s3 = FakeS3()
    bucket = Bucket(s3, "bucket")
    description = a_window_description(dataset=a_dataset(prefix=PREFIX, files=2))

    store_dataset(bucket, description, features([1], [2], [3]))

    assert list(s3.objects) == [
        f"{PREFIX}rows/part-00000.csv",
        f"{PREFIX}rows/part-00001.csv",
        f"{PREFIX}timestamps.csv",
        f"{PREFIX}description.json",
    ]
    assert find_dataset(bucket, PREFIX) == description.dataset


def test_without_a_description_there_is_no_dataset() -> None:
    assert find_dataset(a_bucket(), PREFIX) is None
    with pytest.raises(NotFound, match=f"no dataset below {PREFIX}"):
        read_description(WindowDescription, a_bucket(), PREFIX)


@pytest.mark.parametrize("content", ["[]", "{}", '{"detector": {"name": "orders"}, "rows": -1}'])
def test_a_malformed_description_is_named_with_its_object_and_its_field(content: str) -> None:
    bucket = a_bucket(**{f"{PREFIX}description.json": content})
    named = rf"s3://bucket/{PREFIX}description\.json: description"
    with pytest.raises(MalformedObject, match=named):
        find_dataset(bucket, PREFIX)
    with pytest.raises(MalformedObject, match=named):
        read_description(WindowDescription, bucket, PREFIX)


def test_a_training_dataset_is_not_read_as_a_window() -> None:
    bucket = a_bucket()
    training = a_training_description(dataset=a_dataset(prefix=PREFIX, model=None))
    store_dataset(bucket, training, features([1]))

    assert read_description(TrainingDescription, bucket, PREFIX).remark is None
    with pytest.raises(MalformedObject, match=r"description\.model is None; expected a text"):
        read_description(WindowDescription, bucket, PREFIX)


def test_a_lost_connection_is_not_taken_for_a_missing_dataset() -> None:
    def lose(**_: Any) -> None:
        raise ConnectionLost("GetObject", "ReadTimeoutError", "")

    s3: Any = SimpleNamespace(get_object=lose)
    with pytest.raises(ConnectionLost):
        find_dataset(Bucket(s3, "bucket"), PREFIX)


numbers = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(st.tuples(numbers, numbers).map(list), min_size=1, max_size=30), st.integers(1, 5))
def test_rows_are_written_without_loss_and_in_order_whatever_the_number_of_files(
    rows: list[list[float]], files: int
) -> None:
    bucket = a_bucket()

    dataset = a_dataset(prefix=PREFIX, files=files)
    store_dataset(bucket, a_window_description(dataset=dataset), features(*rows))

    parts = [bucket.read(f"{PREFIX}rows/part-{number:05}.csv") for number in range(files)]
    written = [[float(cell) for cell in row.split(",")] for row in "".join(parts).split()]
    assert written == rows
    assert read_epochs(bucket, PREFIX).tolist() == features(*rows).epochs.tolist()


def test_rows_have_neither_header_nor_label_as_the_algorithm_wants_them() -> None:
    s3 = FakeS3()
    bucket = Bucket(s3, "bucket")
    description = a_window_description(dataset=a_dataset(prefix=PREFIX))
    store_dataset(bucket, description, features([1.0, 2.5], [2.5, 3e-7]))

    assert bucket.read(f"{PREFIX}rows/part-00000.csv") == "1.0,2.5\n2.5,3e-07\n"


def test_scores_are_joined_in_the_order_of_the_files_that_the_rows_were_in() -> None:
    bucket = scored(lines(1, 2), lines(3))
    assert read_scores(bucket, "scores/", 2, 3).tolist() == [[1], [2], [3]]


@pytest.mark.parametrize("count", [1, 3])
def test_a_wrong_number_of_scores_can_not_be_joined(count: int) -> None:
    with pytest.raises(MalformedScores, match=rf"s3://bucket/scores/ holds 2 scores for {count}"):
        read_scores(scored(lines(1, 2)), "scores/", 1, count)


def test_a_missing_object_is_named() -> None:
    with pytest.raises(MalformedScores, match=r"wrote no s3://bucket/scores/part-00001\.csv\.out"):
        read_scores(scored(lines(1)), "scores/", 2, 2)


@pytest.mark.parametrize(
    "content",
    ["0.5\n", "not json\n", '{"other": 1}\n', '{"score": null}\n', '{"score": "high"}\n', "[1]\n"],
)
def test_anything_but_jsonlines_of_scores_is_named(content: str) -> None:
    with pytest.raises(MalformedScores, match=r"part-00000\.csv\.out is not jsonlines"):
        read_scores(scored(content), "scores/", 1, 1)


@pytest.mark.parametrize("score", ["NaN", "Infinity", "-Infinity"])
def test_a_score_must_be_finite(score: str) -> None:
    with pytest.raises(MalformedScores, match="holds a score that is not finite"):
        read_scores(scored(f'{{"score": {score}}}\n'), "scores/", 1, 1)


def test_no_rows_have_no_scores() -> None:
    assert read_scores(scored(""), "scores/", 1, 0).shape == (0, 1)


def test_blank_lines_between_scores_are_not_scores() -> None:
    assert read_scores(scored(lines(1.0) + "\n" + lines(2.0) + "\n"), "scores/", 1, 2).tolist() == [
        [1.0],
        [2.0],
    ]
