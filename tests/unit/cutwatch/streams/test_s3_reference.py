import io
from typing import Any

import pytest

from cutwatch.detectors.reference_data import ReferenceData
from cutwatch.errors import CutwatchError, InvalidReference, NotFound, Throttled
from cutwatch.streams.reference import MOST_BYTES
from cutwatch.streams.s3_reference import S3Reference

DECLARED = ReferenceData("s3://my-bucket/a/machines.csv", "id", "id", refresh=60)


class S3:
    """S3 with one object; `calls` names the calls that were made."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.calls: list[str] = []
        self.error: CutwatchError | None = None

    def head_object(self, **request: str) -> dict[str, Any]:
        return self._answer("head", request)

    def get_object(self, **request: str) -> dict[str, Any]:
        return self._answer("get", request) | {"Body": io.BytesIO(self.content)}

    def _answer(self, call: str, request: dict[str, str]) -> dict[str, Any]:
        assert request == {"Bucket": "my-bucket", "Key": "a/machines.csv"}
        self.calls.append(call)
        if self.error:
            raise self.error
        return {"ETag": f'"{hash(self.content)}"', "ContentLength": len(self.content)}


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def reference(content: bytes = b"id,x\na,1\n") -> tuple[S3Reference, S3, Clock]:
    s3, clock = S3(content), Clock()
    return S3Reference(s3, DECLARED, clock), s3, clock


def test_the_object_is_read_once_and_looked_at_when_that_is_due() -> None:
    rows, s3, clock = reference()
    rows.refresh()
    rows.refresh()
    assert rows.row("a") == {"id": "a", "x": 1}
    assert s3.calls == ["head", "get"]
    clock.now += 60
    rows.refresh()
    assert s3.calls == ["head", "get", "head"]


def test_a_changed_object_is_read_again() -> None:
    rows, s3, clock = reference()
    rows.refresh()
    s3.content = b"id,x\na,2\n"
    clock.now += 59
    rows.refresh()
    assert rows.row("a") == {"id": "a", "x": 1}
    clock.now += 1
    rows.refresh()
    assert rows.row("a") == {"id": "a", "x": 2}


@pytest.mark.parametrize("content", [b"rubbish", b"x" * (MOST_BYTES + 1)])
def test_a_version_that_cannot_be_read_is_named_and_the_one_before_stays(content: bytes) -> None:
    rows, s3, clock = reference()
    rows.refresh()
    good, s3.content = s3.content, content
    clock.now += 60
    rows.refresh()
    assert isinstance(rows.problem, InvalidReference)
    assert rows.row("a") == {"id": "a", "x": 1}
    s3.content = good
    clock.now += 60
    rows.refresh()
    assert rows.problem is None


@pytest.mark.parametrize("error", [NotFound("HeadObject", "404", "no"), Throttled("HeadObject", "SlowDown", "wait")])  # fmt: skip
def test_without_a_first_version_the_batch_has_to_be_tried_again(error: CutwatchError) -> None:
    rows, s3, clock = reference()
    s3.error = error
    with pytest.raises(type(error)):
        rows.refresh()
    s3.error = None
    rows.refresh()
    s3.error = error
    clock.now += 60
    rows.refresh()
    assert (rows.row("a"), rows.problem) == ({"id": "a", "x": 1}, error)


def test_an_object_that_is_too_large_is_not_downloaded() -> None:
    rows, s3, _ = reference(b"x" * (MOST_BYTES + 1))
    with pytest.raises(InvalidReference):
        rows.refresh()
    assert s3.calls == ["head"]
    assert rows.row("a") is None
