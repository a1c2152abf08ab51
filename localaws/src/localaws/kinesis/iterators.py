"""Shard iterators: tokens that name a shard and the sequence number behind which they read on."""

import base64
import json
from dataclasses import astuple, dataclass
from typing import Self

from localaws.api_response import ApiError
from localaws.limits import KINESIS_ITERATOR_LIFETIME


@dataclass(frozen=True)
class ShardIterator:
    """A place in a shard; `issued` and `created` (of the stream) are epoch seconds."""

    stream: str
    created: float
    shard: str
    after: int
    issued: float

    def token(self) -> str:
        return base64.b64encode(json.dumps(astuple(self)).encode()).decode()

    @classmethod
    def parse(cls, token: str) -> Self:
        try:
            return cls(*json.loads(base64.b64decode(token, validate=True)))
        except (ValueError, TypeError):
            raise ApiError("InvalidArgumentException", "Invalid ShardIterator.") from None

    def check_age(self, now: float) -> None:
        lifetime = KINESIS_ITERATOR_LIFETIME.total_seconds()
        if now - self.issued > lifetime:
            raise ApiError(
                "ExpiredIteratorException",
                f"Iterator expired. The iterator was created at time {self.issued:.0f} while right "
                f"now it is {now:.0f} which is further in the future than the tolerated delay of "
                f"{lifetime * 1000:.0f} milliseconds.",
            )
