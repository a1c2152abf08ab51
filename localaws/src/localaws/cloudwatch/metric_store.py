"""Store of datapoints: a few sorted arrays per metric, aggregated by period when they are read."""

import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# A unit is stored with every sample: as a number it takes two bytes, not eighty.
_unit_codes: dict[str, int] = defaultdict(count().__next__)


def unit_code(unit: str) -> int:
    """Return the number that stands for a unit in this process."""
    return _unit_codes[unit]


@dataclass(frozen=True)
class MetricKey:
    """A metric as CloudWatch has it: namespace, name and dimensions together."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, namespace: str, name: str, dimensions: Mapping[str, str]) -> Self:
        return cls(namespace, name, tuple(sorted(dimensions.items())))

    @classmethod
    def from_request(cls, metric: Mapping[str, Any]) -> Self:
        dimensions = {item["Name"]: item["Value"] for item in metric.get("Dimensions", [])}
        return cls.of(metric["Namespace"], metric["MetricName"], dimensions)


class Sample(NamedTuple):
    """A statistic set at a time (epoch seconds); a single value is one of its own.

    `readable` is the time from which it can be read, 0 for at once.
    """

    time: int
    total: float
    samples: float
    minimum: float
    maximum: float
    unit: str
    readable: int = 0


@dataclass(frozen=True)
class Samples:
    """Many samples, column by column."""

    times: NDArray[np.int64]
    sums: Floats
    counts: Floats
    minima: Floats
    maxima: Floats
    units: NDArray[np.uint16]
    readable: NDArray[np.int64]

    @classmethod
    def of_values(cls, times: NDArray[np.int64], values: Floats) -> Self:
        """One sample for each value, of no unit."""
        units = np.full(values.shape, unit_code("None"), np.uint16)
        readable = np.zeros(values.shape, np.int64)
        return cls(times, values, np.ones_like(values), values, values, units, readable)

    @classmethod
    def of(cls, samples: Sequence[Sample]) -> Self:
        times, sums, counts, minima, maxima, units, readable = zip(*samples, strict=True)
        return cls(
            np.array(times, np.int64),
            np.array(sums, np.float64),
            np.array(counts, np.float64),
            np.array(minima, np.float64),
            np.array(maxima, np.float64),
            np.array([unit_code(unit) for unit in units], np.uint16),
            np.array(readable, np.int64),
        )

    @classmethod
    def concatenate(cls, parts: "Sequence[Samples]") -> Self:
        """Join all parts in the order of time."""
        order = np.argsort(np.concatenate([part.times for part in parts]), kind="stable")
        return cls(
            *(
                np.concatenate([getattr(part, name) for part in parts])[order]
                for name in cls.__dataclass_fields__
            )
        )

    def where(self, chosen: Any) -> "Samples":
        return Samples(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))

    def readable_at(self, time: float) -> "Samples":
        """Return the samples that CloudWatch shows at a time."""
        shown = self.readable <= time
        return self if shown.all() else self.where(shown)

    def between(self, start: float, end: float) -> "Samples":
        return self.where(slice(*np.searchsorted(self.times, [start, end])))


class MetricStore:
    """All datapoints of one account and region."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._parts: dict[MetricKey, list[Samples]] = {}
        self._named: dict[tuple[str, str], list[MetricKey]] = {}
        self._added_to: set[MetricKey] = set()

    def add(self, key: MetricKey, samples: Samples) -> None:
        with self._lock:
            if key not in self._parts:
                self._parts[key] = []
                self._named.setdefault((key.namespace, key.name), []).append(key)
            self._parts[key].append(samples)
            self._added_to.add(key)

    def named(self, namespace: str, name: str) -> list[MetricKey]:
        """Return the metrics of this name, whatever their dimensions."""
        with self._lock:
            return list(self._named.get((namespace, name), ()))

    def samples(self, key: MetricKey, start: float, end: float) -> Samples | None:
        """Return the samples of [start, end), or None for a metric that does not exist."""
        with self._lock:
            samples = self._sorted(key)
            return None if samples is None else samples.between(start, end)

    def times(self, keys: Sequence[MetricKey], start: float) -> NDArray[np.int64]:
        """Return the times of all samples of these metrics from `start` on, and from which they can be read, each once."""
        found = [np.empty(0, np.int64)]
        with self._lock:
            for key in keys:
                samples = self._sorted(key)
                if samples is not None:
                    recent = samples.between(start, np.inf)
                    found += [recent.times, recent.readable[recent.readable > 0]]
        return np.unique(np.concatenate(found))

    def _sorted(self, key: MetricKey) -> Samples | None:
        """Return all samples of a metric in the order of time; the caller holds the lock."""
        parts = self._parts.get(key)
        if parts is None:
            return None
        if key in self._added_to:
            if len(parts) > 1 or not _is_sorted(parts[0].times):
                parts[:] = [Samples.concatenate(parts)]
            self._added_to.discard(key)
        return parts[0]

    def metrics(self, start: float, end: float) -> Iterator[MetricKey]:
        """Yield the metrics that have samples in [start, end)."""
        for key in list(self._parts):
            samples = self.samples(key, start, end)
            if samples is not None and samples.times.size:
                yield key


def _is_sorted(times: NDArray[np.int64]) -> bool:
    return bool(np.all(times[:-1] <= times[1:]))
