"""Emails about incidents of a stream, and about what its operators must know."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cutwatch.detectors.removed_stream import RemovedTable
from cutwatch.detectors.watched_table import RecordSource, WatchedTable
from cutwatch.errors import legible
from cutwatch.notifications.detector_lines import StackPlace
from cutwatch.notifications.messages import Notification
from cutwatch.streams.incidents import ColumnFinding, Incident, IncidentChange
from cutwatch.streams.outbox import Notice
from cutwatch.wording import count, number_in_words, severity_multiple, span_in_words

_LISTED_COLUMNS = 10
_KEY_LENGTH = 80
_SUBJECT_BEGINS = {"began": "", "escalated": "now ", "ended": "over, "}


def of_incident(
    stream: RecordSource, change: IncidentChange, place: StackPlace, *, is_last: bool
) -> Notification:
    """Write the message about a change of an incident; `is_last` says that more have to wait for the next hour."""
    incident = change.incident
    headline = _headline(stream, incident)
    word = f"{_SUBJECT_BEGINS[change.kind]}{incident.severity_word}"
    severity = f"severity: {incident.severity_word}, {severity_multiple(incident.severity)} times the cutoff"
    lines = [f"{headline} ({severity}).", "", *_incident_lines(stream, change, place)]
    if is_last:
        lines += [
            "",
            f"This is the last of {stream.mails_per_hour} emails in this hour; {place_of_more(stream, place)}",
        ]
    return Notification(
        f"Cutwatch {word}: {headline}",
        "\n".join(lines),
        {"kind": "incident", "severity": incident.severity_word, "stream": [stream.name]},
    )


def of_notice(stream: str, notice: Notice) -> Notification:
    """Write the message about something that operators must know."""
    text = f"Stream {stream}, {notice.kind}: {notice.text}"
    attributes: dict[str, str | list[str]] = {"kind": "notice", "stream": [stream]}
    return Notification(f"Cutwatch: stream {stream}, {notice.kind}", text, attributes)


def place_of_more(stream: RecordSource, place: StackPlace) -> str:
    """Return where incidents without an email are listed."""
    return f"all incidents: cutwatch events {stream.name} {place.options}"


def _headline(stream: RecordSource, incident: Incident) -> str:
    key = f" {legible(incident.key)[:_KEY_LENGTH]}" if incident.key else ""
    if incident.reasons:
        return f"{stream.name}{key}: {incident.reasons[0]}"
    leading = max(incident.columns, key=lambda each: each.attribution)
    value = f"{leading.column} at {number_in_words(leading.value)}"
    if leading.expected is None:
        return f"{stream.name}{key}: {value}"
    return f"{stream.name}{key}: {value}, expected {number_in_words(leading.expected.value)}"


def _incident_lines(
    stream: RecordSource, change: IncidentChange, place: StackPlace
) -> Iterator[str]:
    incident = change.incident
    kind = "Table" if isinstance(stream, WatchedTable | RemovedTable) else "Stream"
    key = f", key {legible(incident.key)}" if incident.key else ""
    yield f"  {kind:9} {stream.name}{key}"
    yield f"  Time      {_times(stream, change)}"
    if change.reason:
        yield f"  Ended     {change.reason}"
    for reason in incident.reasons:
        yield f"  Reason    {reason}"
    shown = [] if incident.reasons else sorted(incident.columns, key=lambda each: -each.attribution)
    for finding in shown[:_LISTED_COLUMNS]:
        yield f"  Value     {_column(finding, incident.score)}"
    if len(shown) > _LISTED_COLUMNS:
        yield f"            and {count(len(shown) - _LISTED_COLUMNS, 'more column')}"
    yield f"  Incident  {incident.id}"
    yield f'  Silence   cutwatch silence {stream.name} --for 1d --reason "..." {place.options}'


def _times(stream: RecordSource, change: IncidentChange) -> str:
    incident, zone = change.incident, ZoneInfo(stream.time_zone)
    begin = datetime.fromtimestamp(incident.begin_time, UTC).astimezone(zone)
    lasts = timedelta(seconds=incident.last_time - incident.begin_time)
    rows = count(incident.rows, "anomalous row")
    state = "lasted" if change.kind == "ended" else "so far"
    return f"{begin:%Y-%m-%d %H:%M:%S} {stream.time_zone}, {state} {span_in_words(lasts)}, {rows}"


def _column(finding: ColumnFinding, score: float) -> str:
    share = f"{finding.attribution / score:.0%} of the score" if score else "no share"
    value = f"{finding.column} {number_in_words(finding.value)}"
    if finding.expected is None:
        return f"{value}; {share}"
    expected, low, high = map(number_in_words, finding.expected)
    return f"{value}; expected {expected} ({low} to {high}); {finding.direction}, {share}"
