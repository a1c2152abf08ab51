"""Events as an HTML table: time, duration, severity, value and expected value."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.registry.event_record import RecordedEvent
from cutwatch.widget.request import WidgetRequest
from cutwatch.wording import (
    expected_in_words,
    multiple_in_words,
    number_in_words,
    span_in_words,
    time_in_words,
    value_in_words,
)

# In narrower tables the expected value is below the value.
_WIDE = 560
_SIGNS = {"low": "○", "medium": "◐", "high": "●"}
_DRIVERS = {"level": "level", "change": "sudden change"}


@dataclass(frozen=True)
class EventTable:
    """A table of events. `numbered` events have their numbers in the chart; `link` returns the URL of an event's graph, if any.

    `endpoint` is the ARN of the widget's own function, which links to detectors call.
    """

    request: WidgetRequest
    events: Sequence[RecordedEvent]
    numbered: bool
    link: Callable[[RecordedEvent], str | None]
    endpoint: str

    def html(self) -> str:
        """Return the `<table>`."""
        heads = "".join(f'<th scope="col">{head}</th>' for head in self._heads())
        rows = "".join(self._row(number, each) for number, each in enumerate(self.events, start=1))
        caption = f"Events, newest first; times are {escape(self.request.zone_name)}; × is the peak in multiples of the cutoff"
        return (
            f'<table class="cutwatch-events"><caption>{caption}</caption>'
            f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
        )

    @property
    def _is_wide(self) -> bool:
        return self.request.width >= _WIDE

    def _heads(self) -> list[str]:
        first = ["#"] if self.numbered else []
        detector = [] if self.numbered else ["Detector"]
        last = ["Value", "Expected"] if self._is_wide else ["Value / expected"]
        return [*first, "Begins", *detector, "Lasts", "Severity", *last]

    def _row(self, number: int, each: RecordedEvent) -> str:
        event = each.event
        cells = [str(number)] if self.numbered else []
        cells.append(self._begins(each))
        if not self.numbered:
            cells.append(call(each.detector, self.endpoint, each.detector))
        cells += [_short(span_in_words(event.lasts)), _short(severity(event))]
        value, expected = value_in_words(event), expected_in_words(event)
        cells += [value, expected] if self._is_wide else [f"{value}<br><small>{expected}</small>"]
        return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"

    def _begins(self, each: RecordedEvent) -> str:
        """Return the begin as a link to the graph, and a popup with the details."""
        text = time_in_words(each.event.begins, self.request.zone)
        address = self.link(each)
        if address:
            text = (
                f'<a href="{escape(address)}" target="_blank" rel="noopener" '
                f'title="Graph in the CloudWatch console">{text}</a>'
            )
        return (
            f'{text} <a class="cutwatch-details" role="button" tabindex="0">details</a>'
            f'<cwdb-action display="popup">{self._details(each)}</cwdb-action>'
        )

    def _details(self, each: RecordedEvent) -> str:
        event, zone = each.event, self.request.zone
        facts = {
            "Detector": each.detector,
            "Begins": time_in_words(event.begins, zone),
            "Ends": time_in_words(event.ends, zone),
            "Lasts": span_in_words(event.lasts),
            "Datapoints": f"{event.datapoints:,}",
            "Highest score": number_in_words(event.score),
            "Times the cutoff": multiple_in_words(event),
            "Driver": _DRIVERS.get(event.driver or "", "–"),
            "Run": each.run,
        }
        rows = "".join(
            f'<tr><th scope="row">{name}</th><td>{escape(value)}</td></tr>'
            for name, value in facts.items()
        )
        return f'<table class="cutwatch-facts">{rows}</table>'


def _short(cell: str) -> str:
    """Keep a cell on one line."""
    return f'<span class="cutwatch-short">{cell}</span>'


def severity(event: AnomalyEvent) -> str:
    """Return the severity as a symbol, a word, and a multiple of the cutoff."""
    times = "" if event.severity is None else f" {multiple_in_words(event)}×"
    word = event.severity_word
    return f'<span aria-hidden="true">{_SIGNS[word]}</span> {word}{times}'


def call(text: str, endpoint: str, detector: str, style: str = "") -> str:
    """Return a link that shows another detector in the widget; an empty name shows all."""
    parameters = escape(json.dumps({"detector": detector}), quote=False)
    shown = f' class="{style}"' if style else ""
    return (
        f'<a{shown} role="button" tabindex="0">{escape(text)}</a><cwdb-action action="call" display="widget" '
        f'endpoint="{escape(endpoint)}">{parameters}</cwdb-action>'
    )
