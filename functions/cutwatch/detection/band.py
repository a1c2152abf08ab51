"""A coarse expected range along a window."""

from dataclasses import dataclass


@dataclass(frozen=True)
class BandPoint:
    """The mean expected value, and the edges of the range of 90 %, from epoch second `time` on."""

    time: int
    low: float
    expected: float
    high: float


@dataclass(frozen=True)
class ExpectedBand:
    """Points at multiples of `step` seconds; none where nothing is expected."""

    step: int
    points: tuple[BandPoint, ...]
