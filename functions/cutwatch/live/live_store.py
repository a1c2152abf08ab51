"""The objects of live detectors in the data bucket.

Below `live/`: `plan.json` and `plan/<number>.json`, the detectors of each bucket; `state/<number>`, the buckets; and
`series/<detector>/`, their stored series.
"""

from cutwatch.aws.versioned_objects import Versioned, VersionedObjects
from cutwatch.errors import MalformedState
from cutwatch.live.live_bucket import LiveBucket
from cutwatch.observability import logger

_PREFIX = "live/"
PLAN = f"{_PREFIX}plan.json"


def planned_key(number: int) -> str:
    """Return the key of a bucket's detectors."""
    return f"{_PREFIX}plan/{number:04d}.json"


def series_key(detector: str, basis: str, through: int) -> str:
    """Return the key of a stored series: the same content always has the same key."""
    return f"{_PREFIX}series/{detector}/{basis}-{through}.npz"


class LiveStore(VersionedObjects[LiveBucket]):
    """The buckets of live detectors. None is kept in memory, because another environment may score a bucket the next time.

    A bucket that has changed in the meantime would cost a second reading of its metrics.
    """

    def take(self, number: int) -> Versioned[LiveBucket]:
        """Read a bucket."""
        return self.load(number)

    def keep(self, taken: Versioned[LiveBucket]) -> None:
        """Keep nothing."""

    @property
    def prefix(self) -> str:
        """Prefix of the keys."""
        return f"{_PREFIX}state/"

    def empty(self, number: int) -> LiveBucket:  # noqa: ARG002 - all are alike
        """Return a bucket without states."""
        return LiveBucket()

    def encode(self, content: LiveBucket) -> bytes:
        """Return a bucket's bytes."""
        return content.to_bytes()

    def decode(self, content: bytes) -> LiveBucket:
        """Read a bucket's bytes. Raises `MalformedState`."""
        return LiveBucket.from_bytes(content)

    def renewed(self, number: int, damaged: bytes, etag: str, error: MalformedState) -> LiveBucket:
        """Set a damaged bucket aside; every detector begins again with its checkpoint."""
        kept = f"{_PREFIX}damaged/{number:04d}-{etag.strip(chr(34))}"
        self.bucket.write_bytes(kept, damaged)
        logger.error("state set aside", bucket=number, reason=str(error), kept=kept)
        return LiveBucket()
