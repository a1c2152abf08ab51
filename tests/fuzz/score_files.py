"""Files of scores: as many finite scores as there are rows, or none at all."""

import io
from typing import Any

import numpy as np

from cutwatch.aws.s3 import Bucket
from cutwatch.datasets.storage import read_scores
from cutwatch.errors import MalformedScores, NotFound
from tests.fuzz.harness import Harness, names
from tests.support.fakes import Fake

_SEEDS = (
    b'\x02\x01{"score": 1.5}\n{"score": 2}\n',
    b'\x02\x02{"score": 1.5}\n\x00{"score": 2e-3}\n',
    b'\x01\x01{"score": NaN}\n',
    b"\x00\x01\n",
)


class _Objects(Fake):
    """An S3 client of a transform job's output, one object for each instance."""

    def __init__(self, parts: list[bytes]) -> None:
        self._parts = parts

    def get_object(self, Key: str, **_: str) -> dict[str, Any]:  # noqa: N803 - S3's own name
        number = int(Key.partition("part-")[2][:5])
        if number >= len(self._parts):
            raise NotFound("GetObject", "NoSuchKey", Key)
        return {"Body": io.BytesIO(self._parts[number])}


def check(data: bytes) -> None:
    """The first byte is the number of rows, the second that of files; files are separated by zeros."""
    if len(data) < 2:
        return
    rows, files = data[0], data[1] % 4 + 1
    bucket = Bucket(_Objects(data[2:].split(b"\0")), "data")
    try:
        scores = read_scores(bucket, "scores/", files, rows)
    except MalformedScores as error:
        names(error, "s3://data/scores/")
        return
    assert scores.shape == (rows, scores.shape[1])
    assert np.isfinite(scores).all()


SCORE_FILES = Harness(check, _SEEDS, words=('{"score": ', "Infinity", "1e999", "true", "null"))
