"""Incidents of streams as tables and as JSON."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.table import Table

from cutwatch.delivery.incident_event import incident_detail
from cutwatch.delivery.incident_store import RecordedIncident
from cutwatch.errors import legible
from cutwatch.streams.incidents import ChangeKind, ColumnFinding, Incident, IncidentChange
from cutwatch.wording import number_in_words, severity_multiple, span_in_words

_LONGEST_KEY = 40


def incident_payload(recorded: RecordedIncident, stack: str) -> dict[str, Any]:
    """Return an incident as JSON values, with the names that its EventBridge event has, and whether it ended and was mailed.

    `silenced` is left out: it belongs to each event.
    """
    change = IncidentChange(_last_change(recorded), recorded.incident, recorded.reason)
    detail = incident_detail(recorded.stream, change, stack, silenced=False)
    del detail["silenced"]
    return {**detail, "ended": recorded.ended, "mailed": recorded.mailed}


def incidents_table(incidents: Sequence[RecordedIncident]) -> Table:
    """Return a row for each incident, with the column that has the largest attribution."""
    table = Table(box=None, pad_edge=False)
    for heading in ("Begins (UTC)", "Stream", "Key"):
        table.add_column(heading, no_wrap=True)
    for heading in ("Lasts", "Severity", "x cutoff"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("Column", no_wrap=True)
    table.add_column("Value", justify="right", no_wrap=True)
    table.add_column("Expected", no_wrap=True)
    for each in incidents:
        incident, leading = each.incident, leading_column(each.incident)
        table.add_row(
            f"{begins(incident):%Y-%m-%d %H:%M:%S}",
            each.stream,
            key_in_words(incident),
            lasts_in_words(each),
            incident.severity_word,
            severity_multiple(incident.severity),
            leading.column,
            number_in_words(leading.value),
            expected_in_words(leading),
        )
    return table


def begins(incident: Incident) -> datetime:
    """Return the event time of an incident's first anomalous row."""
    return datetime.fromtimestamp(incident.begin_time, UTC)


def leading_column(incident: Incident) -> ColumnFinding:
    """Return the column with the largest attribution at the incident's peak."""
    return max(incident.columns, key=lambda each: each.attribution)


def key_in_words(incident: Incident) -> str:
    """Return an incident's key, shortened; a dash if all records share one forest."""
    return legible(incident.key)[:_LONGEST_KEY] if incident.key else "–"


def lasts_in_words(recorded: RecordedIncident) -> str:
    """Return the time from the first anomalous row to the last, or `open`."""
    if not recorded.ended:
        return "open"
    incident = recorded.incident
    return span_in_words(timedelta(seconds=incident.last_time - incident.begin_time))


def expected_in_words(finding: ColumnFinding) -> str:
    """Describe a column's expected value and range: `112 (98 to 121)`; a dash if there were too few rows."""
    if finding.expected is None:
        return "–"
    value, low, high = map(number_in_words, finding.expected)
    return f"{value} ({low} to {high})"


def _last_change(recorded: RecordedIncident) -> ChangeKind:
    """Return the kind of the newest change that was recorded."""
    if recorded.ended:
        return "ended"
    is_escalated = any(change.startswith("escalated:") for change in recorded.notified)
    return "escalated" if is_escalated else "began"
