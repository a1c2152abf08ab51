import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutwatch.aws.s3 import Bucket
from cutwatch.datasets.forest_arrays import read_rows, read_scores, write_rows, write_scores
from cutwatch.datasets.storage import store_dataset
from cutwatch.errors import MalformedObject, MalformedScores, NotFound
from cutwatch.features.recipe import FeatureRows
from tests.support.builders import a_dataset, a_detector, a_window_description
from tests.support.fakes import Fake

EPOCHS = 1_790_000_040 + 60 * np.arange(3, dtype=np.int64)
VALUES = np.array([[0.1, -2.5e-300], [1e30, 3.0], [1 / 3, 0.0]])


class Objects(Fake):
    """An S3 client with objects in memory."""

    def __init__(self, **objects: bytes) -> None:
        self.objects = objects

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803
        self.objects[Key] = Body

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        if Key not in self.objects:
            raise NotFound("GetObject", "NoSuchKey", Key)
        return {"Body": io.BytesIO(self.objects[Key])}


def arrays(**stored: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **stored)
    return buffer.getvalue()


def test_rows_and_scores_come_back_as_they_were() -> None:
    bucket = Bucket(Objects(), "bucket")

    write_rows(bucket, "data/", FeatureRows(VALUES, EPOCHS))
    write_scores(bucket, "scores/", VALUES, EPOCHS)

    rows = read_rows(bucket, "data/")
    epochs, scores = read_scores(bucket, "scores/", 3)
    for values, of in ((rows.rows, rows.epochs), (scores, epochs)):
        assert values.tolist() == VALUES.tolist()
        assert of.tolist() == EPOCHS.tolist()


def test_a_forest_inside_lambda_has_its_rows_in_one_object() -> None:
    s3 = Objects()
    description = a_window_description(
        dataset=a_dataset(prefix="data/"), detector=a_detector(engine="lambda")
    )

    store_dataset(Bucket(s3, "bucket"), description, FeatureRows(VALUES, EPOCHS))

    assert list(s3.objects) == ["data/rows.npz", "data/description.json"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"1.0,2.0\n",
        arrays(values=VALUES),
        arrays(values=VALUES, epochs=EPOCHS[:2]),
        arrays(values=VALUES[:, 0], epochs=EPOCHS),
        arrays(values=VALUES[:1].astype(np.float32), epochs=EPOCHS[:1]),
        arrays(values=VALUES, epochs=EPOCHS.astype(float)),
        arrays(values=VALUES[:0], epochs=EPOCHS[:0]),
        arrays(values=np.array([object()]), epochs=EPOCHS[:1]),
    ],
)
def test_anything_but_rows_is_named_with_its_object(content: bytes) -> None:
    bucket = Bucket(Objects(**{"data/rows.npz": content, "scores/scores.npz": content}), "bucket")

    with pytest.raises(MalformedObject, match=r"s3://bucket/data/rows\.npz holds no rows"):
        read_rows(bucket, "data/")
    with pytest.raises(MalformedScores, match=r"s3://bucket/scores/scores\.npz holds no scores"):
        read_scores(bucket, "scores/", 3)


@given(st.binary(max_size=200))
def test_no_bytes_raise_an_error_of_another_library(content: bytes) -> None:
    bucket = Bucket(Objects(**{"data/rows.npz": content}), "bucket")
    with pytest.raises(MalformedObject):
        read_rows(bucket, "data/")


def test_scores_that_cannot_be_joined_to_rows_are_refused() -> None:
    bucket = Bucket(Objects(), "bucket")
    with pytest.raises(MalformedScores, match=r"the forest wrote no s3://bucket/a/scores\.npz"):
        read_scores(bucket, "a/", 3)

    write_scores(bucket, "a/", VALUES, EPOCHS)
    with pytest.raises(MalformedScores, match="holds 3 scores for 4 rows"):
        read_scores(bucket, "a/", 4)

    write_scores(bucket, "a/", np.where(VALUES == 0, np.nan, VALUES), EPOCHS)
    with pytest.raises(MalformedScores, match="a score that is not finite"):
        read_scores(bucket, "a/", 3)
