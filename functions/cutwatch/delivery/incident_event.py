"""Changes of incidents as EventBridge events. docs/stream-incident.schema.json has their schema."""

import json
from datetime import UTC, datetime
from typing import Any

from cutwatch.notifications.detector_lines import StackPlace
from cutwatch.notifications.eventbridge import SOURCE, Entry
from cutwatch.streams.incidents import ColumnFinding, IncidentChange
from cutwatch.streams.postprocessing import Postprocessor

DETAIL_TYPE = "Stream Incident"


def entry(
    stream: str,
    change: IncidentChange,
    place: StackPlace,
    postprocessor: Postprocessor | None = None,
    *,
    silenced: bool,
) -> Entry:
    """Return the entry of a change; consumers recognise duplicates by `id` and `change`."""
    detail = incident_detail(stream, change, place.name, silenced=silenced)
    if postprocessor is not None:
        detail = postprocessor.extended(detail)
    return {"Source": SOURCE, "DetailType": DETAIL_TYPE, "Detail": json.dumps(detail)}


def incident_detail(
    stream: str, change: IncidentChange, stack: str, *, silenced: bool
) -> dict[str, Any]:
    """Return the detail of an event."""
    incident = change.incident
    return {
        "version": "1",
        "id": incident.id,
        "change": change.kind,
        "ended_because": change.reason or None,
        "stack": stack,
        "stream": stream,
        "key": incident.key,
        "silenced": silenced,
        "severity": incident.severity_word,
        "times_cutoff": incident.severity,
        "anomaly_score": incident.score,
        "start": _time(incident.begin_time),
        "last": _time(incident.last_time),
        "peak_time": _time(incident.peak_time),
        "rows": incident.rows,
        "reasons": list(incident.reasons),
        "columns": [_column(each, incident.score) for each in incident.columns],
    }


def _column(finding: ColumnFinding, score: float) -> dict[str, Any]:
    expected = finding.expected
    return {
        "name": finding.column,
        "value": finding.value,
        "expected": expected.value if expected else None,
        "expected_low": expected.low if expected else None,
        "expected_high": expected.high if expected else None,
        "direction": finding.direction,
        "share": finding.attribution / score if score else 0.0,
    }


def _time(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, UTC).isoformat().replace("+00:00", "Z")
