"""The event of an invocation for one bucket."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from cutwatch.errors import InvalidInput


@dataclass(frozen=True)
class Turn:
    """A bucket to score; in a `run` of several `buckets`, another one that is in memory will do."""

    bucket: int
    run: str | None = None
    buckets: Sequence[int] = ()

    @classmethod
    def of(cls, event: Any) -> Self | None:
        """Read an event; None for a rule's. Raises `InvalidInput`."""
        if not isinstance(event, dict) or event.get("bucket") is None:
            return None
        run, buckets = event.get("run"), event.get("buckets", [])
        if not isinstance(run, str | None) or not isinstance(buckets, list):
            raise InvalidInput(
                f"run is {run!r:.60}, buckets {buckets!r:.60}; expected a time, and numbers"
            )
        return cls(_number(event["bucket"]), run, [_number(each) for each in buckets])

    def to_bytes(self) -> bytes:
        """Return the event as JSON."""
        return json.dumps(asdict(self)).encode()

    def preferring(self, bucket: int | None) -> Iterator[int]:
        """Yield the buckets of the run: the preferred one if it is one of them, the one to score, all others."""
        if bucket in self.buckets and bucket is not None:
            yield bucket
        yield self.bucket
        yield from self.buckets


def _number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InvalidInput(f"bucket is {value!r:.60}; expected the number of a bucket, from 0 on")
    return value
