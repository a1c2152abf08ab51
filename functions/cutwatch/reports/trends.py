"""Trends: an hour against the same hour of the days before."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from cutwatch.reports.hour_report import HourReport, mean_seconds
from cutwatch.streams.log_summary import Tally

DAYS = 7


@dataclass(frozen=True)
class Trend:
    """A measure of an hour, with the smallest, the median and the largest of the days before; None without them."""

    name: str
    value: float | None
    low: float | None
    middle: float | None
    high: float | None

    @property
    def change(self) -> float | None:
        """The change against the median, as a share of it; None if it cannot be computed."""
        if self.value is None or not self.middle:
            return None
        return self.value / self.middle - 1

    def to_payload(self) -> dict[str, float | None]:
        """Return the numbers as JSON values."""
        numbers = {"value": self.value, "low": self.low, "median": self.middle, "high": self.high}
        return {**numbers, "change": self.change}


def _error_rate(tally: Tally) -> float | None:
    return tally.errors / tally.records if tally.records else None


_MEASURES: Mapping[str, Callable[[Tally], float | None]] = {
    "records": lambda tally: float(tally.records),
    "error rate": _error_rate,
    "anomalies": lambda tally: float(tally.anomalies),
    "mean response time": mean_seconds,
}


def trends(report: HourReport, before: Sequence[HourReport]) -> list[Trend]:
    """Return the trends of an hour against the same hour of some days before."""
    return [_trend(name, measure, report, before) for name, measure in _MEASURES.items()]


def _trend(
    name: str,
    measure: Callable[[Tally], float | None],
    report: HourReport,
    before: Sequence[HourReport],
) -> Trend:
    earlier = [value for each in before if (value := measure(each.total)) is not None]
    value = measure(report.total)
    if not earlier:
        return Trend(name, value, None, None, None)
    return Trend(name, value, min(earlier), median(earlier), max(earlier))
