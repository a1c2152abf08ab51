"""A stream's cost by batching window and number of keys, next to the alternatives."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from cutwatch.detectors.stream import Stream
from cutwatch_cli.cost.prices import AS_OF, REGION, Prices
from cutwatch_cli.cost.stream_assumptions import StreamAssumptions
from cutwatch_cli.cost.stream_bill import (
    StreamBill,
    flink_dollars,
    kinesis_dollars,
    millions,
    opensearch_dollars,
    stream_bill,
)
from cutwatch_cli.cost.stream_work import Load, StreamWork

WINDOWS = (1.0, 5.0, 10.0, 60.0)
KEYS = (1, 10, 100, 1_000)
NOT_COUNTED = "Not counted: the stream, free tiers, taxes, traces, emails, KMS requests, retries, target streams and queues."
# A single key at the limit of a shard.
HOT_KEY = Load(records_per_second=1_000)
HOT_WINDOW = 5.0
# Dollars a million records of the hot key, at a window of five seconds or more.
HOT_KEY_LIMIT = 0.02


@dataclass(frozen=True)
class StreamEstimate:
    """The cost of a stream with everything that it depends on."""

    stream: Stream
    load: Load
    prices: Prices
    assume: StreamAssumptions

    @cached_property
    def bills(self) -> list[StreamBill]:
        """A bill for each number of keys and each batching window."""
        numbers = sorted({*KEYS, self.load.keys})
        return [
            self._bill(self.load._replace(keys=keys), window)
            for keys in numbers
            for window in WINDOWS
        ]

    @property
    def hot_key(self) -> StreamBill:
        """The bill of a single key at the limit of a shard."""
        return self._bill(HOT_KEY._replace(record_bytes=self.load.record_bytes), HOT_WINDOW)

    @property
    def alternatives(self) -> dict[str, float]:
        """Dollars a month of the alternatives at their smallest, and of the stream that all of them read."""
        return {
            "flink": flink_dollars(self.prices, self.assume),
            "opensearch": opensearch_dollars(self.prices, self.assume),
            "kinesis": kinesis_dollars(self.load, self.prices, self.assume),
        }

    def own_bills(self) -> Iterator[StreamBill]:
        """Yield the bills of the stream's own number of keys."""
        return (each for each in self.bills if each.work.load.keys == self.load.keys)

    def to_payload(self) -> dict[str, Any]:
        """Return all numbers, unrounded, in dollars, as JSON values."""
        return {
            "stream": self.stream.name,
            "load": self.load._asdict(),
            "forest": asdict(self.stream.forest),
            "millions_of_records_a_month": millions(self.load, self.assume),
            "estimates": [each.to_payload() for each in self.bills],
            "hot_key": {"limit": HOT_KEY_LIMIT, **self.hot_key.to_payload()},
            "alternatives_dollars_a_month": self.alternatives,
            "prices": {
                "as_of": AS_OF,
                "region": REGION,
                **{name: asdict(price) for name, price in self.prices.items()},
            },
            "assumptions": asdict(self.assume),
        }

    def _bill(self, load: Load, window: float) -> StreamBill:
        return stream_bill(StreamWork(self.stream, load, window, self.assume), self.prices)
