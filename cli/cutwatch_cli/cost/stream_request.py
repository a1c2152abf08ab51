"""The options of `cutwatch cost --stream`, and the estimate they describe."""

from dataclasses import dataclass
from pathlib import Path

from cutwatch.detectors.detectors_file import load_configuration
from cutwatch.detectors.record_format import RecordFormat
from cutwatch.detectors.stream import Stream
from cutwatch_cli.cost.named_numbers import NumberMistake, parse_numbers
from cutwatch_cli.cost.prices import STREAM_PRICES, with_prices
from cutwatch_cli.cost.stream_assumptions import NAMES, POSITIVE, StreamAssumptions
from cutwatch_cli.cost.stream_estimate import StreamEstimate
from cutwatch_cli.cost.stream_work import Load

# Stands for a stream that is not declared yet: default forest, one column, a key.
ANY_NAME = "any"
_ANY = Stream(ANY_NAME, ANY_NAME, RecordFormat("at", {"value": "value"}, "key"))
# A shard takes this many records and bytes per second.
_SHARD_RECORDS, _SHARD_BYTES = 1_000, 1_000_000


@dataclass(frozen=True)
class StreamCostRequest:
    """Options as typed; `prices` and `assumptions` are `NAME=VALUE`s. Without `keys`, the entry's limit applies."""

    name: str
    detectors: Path
    records_per_second: float = 100.0
    keys: int | None = None
    shards: int | None = None
    record_bytes: float = 1_000.0
    prices: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()

    def estimate(self) -> StreamEstimate:
        """Compute the estimate. Raises `InvalidDetectors` or `NumberMistake`, with one line per error."""
        values = parse_numbers("--assume", self.assumptions, NAMES, POSITIVE)
        prices = with_prices(parse_numbers("--price", self.prices, STREAM_PRICES), STREAM_PRICES)
        stream = self._stream()
        shards = self.shards or needed_shards(self.records_per_second, self.record_bytes)
        load = Load(self.records_per_second, self._keys(stream), shards, self.record_bytes)
        return StreamEstimate(stream, load, prices, StreamAssumptions().with_values(values))

    def _stream(self) -> Stream:
        if self.name == ANY_NAME:
            return _ANY
        declared = {each.name: each for each in load_configuration(self.detectors).streams}
        if self.name not in declared:
            names = ", ".join(declared) or "none"
            raise NumberMistake(
                f"--stream {self.name}: {self.detectors} does not declare it; its streams: {names}; {ANY_NAME!r} "
                "stands for the defaults"
            )
        return declared[self.name]

    def _keys(self, stream: Stream) -> int:
        if self.keys is not None:
            return self.keys
        return stream.keys.limit if stream.record.key and stream is not _ANY else 1


def needed_shards(records_per_second: float, record_bytes: float) -> int:
    """Return as many shards as the records need."""
    size = records_per_second * record_bytes
    needed = max(records_per_second / _SHARD_RECORDS, size / _SHARD_BYTES, 1)
    return int(-(-needed // 1))
