"""The texts and values of the page's sections, ready for the template."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.wording import (
    end_in_words,
    multiple_in_words,
    span_in_words,
    time_in_words,
)
from cutwatch_cli.report.detector_report import DetectorReport, severity_rank
from cutwatch_cli.report.outline import Outline, outline
from cutwatch_cli.report.outline_axes import Tick, time_axis, value_axis
from cutwatch_cli.report.series_data import column_data, description
from cutwatch_cli.report.tables import (
    event_cells,
    found,
    planted_summary,
    summary,
)

# The report's own words replace those of metric, score and event.
_LEGEND = {
    "metric": "metric",
    "expected": "expected (90 %)",
    "anomalous": "anomalous",
    "event": "event, with its number",
    "planted": "planted",
    "unscored": "not scored",
    "unreadable": "score follows",
    "missing": "no data",
    "score": "anomaly score",
    "cutoff": "cutoff",
    "trained": "trained until",
}
# Sorts missing data above every multiple and no event below; JSON and HTML have no infinity.
_ABOVE_ALL, _BELOW_ALL = 1e12, -1.0
_DRIVERS = {"level": "level", "change": "sudden change"}


@dataclass(frozen=True, eq=False)
class Section:
    """One detector's section of the page."""

    number: int
    report: DetectorReport

    @cached_property
    def outline(self) -> Outline:
        return outline(self.shown)

    @cached_property
    def shown(self) -> DetectorReport:
        """The scored part, which the outline shows."""
        return self.report.since(self.report.opening)

    @property
    def metric_axis(self) -> list[Tick]:
        return value_axis(self.outline.lowest, self.outline.highest, 5)

    @property
    def score_axis(self) -> list[Tick]:
        return value_axis(0.0, self.outline.highest_score, 3)

    @property
    def time_axis(self) -> list[Tick]:
        return time_axis(self.shown)

    @cached_property
    def _columns(self) -> tuple[list[str], str]:
        return column_data(self.report)

    @property
    def columns(self) -> str:
        return self._columns[1]

    @property
    def description(self) -> dict[str, Any]:
        return {"kinds": self._columns[0], **description(self.report)}

    @property
    def rank(self) -> float:
        return min(max(severity_rank(self.report.worst), _BELOW_ALL), _ABOVE_ALL)

    @property
    def multiple(self) -> str:
        worst = self.report.worst
        return multiple_in_words(worst) if worst else "–"

    @property
    def anomalous(self) -> int:
        return int(self.report.anomalous.sum())

    @property
    def newest(self) -> str:
        events = self.report.events
        if not events:
            return "–"
        return f"{time_in_words(events[-1].begins, self.report.zone)} {self.report.time_zone}"

    @property
    def newest_seconds(self) -> int:
        events = self.report.events
        return int(events[-1].begins.timestamp()) if events else 0

    @property
    def summary(self) -> str:
        return summary(self.report)

    @property
    def events(self) -> list[dict[str, str]]:
        names = ("begins", "lasts", "severity", "multiple", "value", "expected")
        links = self.report.links or [""] * len(self.report.events)
        keys = self.report.keys or [""] * len(self.report.events)
        found = [
            dict(zip(names, event_cells(event, self.report), strict=True))
            | {
                "ends": end_in_words(event, self.report.zone),
                "driver": _driver(event),
                "link": link,
                "key": key,
            }
            for event, link, key in zip(self.report.events, links, keys, strict=True)
        ]
        for place in self.report.unended:
            found[place] |= {"ends": "open", "lasts": "open"}
        return found

    @property
    def planted(self) -> list[dict[str, str]]:
        return [
            {
                "kind": outcome.kind,
                "begins": time_in_words(outcome.start, self.report.zone),
                "lasts": span_in_words(outcome.end - outcome.start),
                "found": "yes" if outcome.first_hit else "no",
                "delay": outcome.delay_in_words,
            }
            for outcome in found(self.report)
        ]

    @property
    def planted_summary(self) -> str:
        return planted_summary(self.report)

    @property
    def facts(self) -> list[tuple[str, str]]:
        report = self.report
        every = span_in_words(report.period)
        return [
            ("Time", f"{self.since} to {self.until} ({report.time_zone})"),
            ("Every", every),
        ] + [(str(term), str(fact)) for term, fact in report.facts]

    @property
    def since(self) -> str:
        return time_in_words(self.report.start, self.report.zone)

    @property
    def until(self) -> str:
        return time_in_words(self.report.end, self.report.zone)

    @property
    def shown_since(self) -> str:
        return time_in_words(self.shown.start, self.report.zone)

    @property
    def chart_label(self) -> str:
        return f"Chart of {self.report.detector}: {self.summary}"

    @property
    def legend(self) -> list[tuple[str, str]]:
        """Marks in this detector's chart, with their meanings."""
        present = set(self._present())
        words = self.report.words
        own = {
            "metric": words.values,
            "score": words.scores,
            "event": f"{words.event}, with its number",
        }
        return [(mark, meaning) for mark, meaning in (_LEGEND | own).items() if mark in present]

    def _present(self) -> Iterator[str]:
        report = self.report
        yield from ("metric", "score")
        for mark, is_there in (
            ("expected", report.expected),
            ("anomalous", report.anomalous.any()),
            ("event", report.events),
            ("planted", report.planted),
            ("unscored", report.unscored.any()),
            ("unreadable", report.unreadable.any()),
            ("missing", report.missing.any()),
            ("cutoff", report.cutoffs),
            ("trained", self.outline.trained),
        ):
            if is_there:
                yield mark


def _driver(event: AnomalyEvent) -> str:
    if event.severity is None:
        return "no data"
    return _DRIVERS.get(event.driver or "", event.driver or "–")
