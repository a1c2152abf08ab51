"""Links into the CloudWatch console."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from cutwatch.detectors.detector import Detector
from cutwatch.detectors.metric_source import SourceMetric
from cutwatch.metric_names import ANOMALY, ANOMALY_SCORE

_DOMAINS = {"cn": "console.amazonaws.cn", "us-gov": "console.amazonaws-us-gov.com"}
_MARGIN = timedelta(hours=6)
_BAND_COLOUR = "#d13212"
_TITLE_LENGTH, _LONGEST = 200, 8_000
_LOGS_QUERY = "fields @timestamp, @message | sort @timestamp | limit 100"
_RESERVED = re.compile(r"[^A-Za-z0-9_.-]")


def graph_url(
    region: str, detector: Detector, namespace: str, start: datetime, end: datetime
) -> str:
    """Return the graph of the detector's metric and its published anomalies, well before `start` to well after `end`.

    A band marks the event itself, because CloudWatch shows back-filled anomalies up to two days late. The metric is left out if it would make the link longer than browsers and mail programs accept.
    """
    url = _graph_url(region, detector, namespace, start, end, _source(detector))
    return url if len(url) <= _LONGEST else _graph_url(region, detector, namespace, start, end, [])


def event_url(
    region: str,
    detector: Detector,
    first: datetime,
    last: datetime,
    event: tuple[datetime, datetime],
) -> str:
    """Return a short link to the graph of a detector's metric from well before `first` to well after `last`.

    A band marks the event. Like `graph_url`, it leaves out a metric that would make it too long.
    """
    graph = {
        "metrics": _source(detector),
        "region": region,
        "period": detector.period,
        "start": _time(first - _MARGIN),
        "end": _time(last + _MARGIN),
        "annotations": {"vertical": [[{"value": _time(time)} for time in event]]},
    }
    url = _graph_link(region, detector, graph)
    return url if len(url) <= _LONGEST else _graph_link(region, detector, graph | {"metrics": []})


def logs_url(region: str, log_group: str, start: datetime, end: datetime) -> str:
    """Return a link to CloudWatch Logs Insights with the log group's messages of a time range."""
    query = {
        "start": _time(start),
        "end": _time(end),
        "timeType": "ABSOLUTE",
        "tz": "UTC",
        "editorString": _LOGS_QUERY,
        "source": [log_group],
    }
    return f"{home(region)}#logsV2:logs-insights?queryDetail={jsurl(query)}"


def _graph_url(
    region: str,
    detector: Detector,
    namespace: str,
    start: datetime,
    end: datetime,
    source: Sequence[Any],
) -> str:
    margin = max(_MARGIN, end - start)
    graph = {
        "metrics": [*source, *_published(detector.name, namespace)],
        "view": "timeSeries",
        "stacked": False,
        "region": region,
        "period": detector.period,
        "start": _time(start - margin),
        "end": _time(end + margin),
        "annotations": {
            "vertical": [_band(start, max(end, start + timedelta(seconds=detector.period)))]
        },
        "title": f"{detector.name}: {detector.metric_label}"[:_TITLE_LENGTH],
    }
    return _graph_link(region, detector, graph)


def _graph_link(region: str, detector: Detector, graph: Mapping[str, Any]) -> str:
    # The search box at the end: many mail programs take a closing bracket for the end of a sentence.
    return f"{home(region)}#metricsV2:graph={jsurl(graph)};query=~'{_escaped(detector.name)}"


def dashboard_url(region: str, name: str) -> str:
    """Return the link to a dashboard."""
    return f"{home(region)}#dashboards/dashboard/{name}"


def home(region: str) -> str:
    """Return the CloudWatch console of a region, in its partition."""
    partition = next((name for name in _DOMAINS if region.startswith(f"{name}-")), "")
    domain = _DOMAINS.get(partition, "console.aws.amazon.com")
    return f"https://{region}.{domain}/cloudwatch/home?region={region}"


def jsurl(value: Any) -> str:
    """Encode a value as the console does after `#`: `~(period~300~stat~'Sum)`."""
    if isinstance(value, str):
        return f"~'{_escaped(value)}"
    if isinstance(value, bool):
        return f"~{str(value).lower()}"
    if isinstance(value, Mapping):
        members = (f"{_escaped(name)}{jsurl(member)}" for name, member in value.items())
        return f"~({'~'.join(members)})"
    if isinstance(value, Sequence):
        return f"~({''.join(map(jsurl, value)) or '~'})"
    return f"~{value}"


def _escaped(text: str) -> str:
    return _RESERVED.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be").hex()
    codes = [units[at : at + 4] for at in range(0, len(units), 4)]
    return "".join(f"*{code[2:]}" if code.startswith("00") else f"**{code}" for code in codes)


def _source(detector: Detector) -> list[list[Any]]:
    if not detector.expression:
        return [_metric(detector.sources[0], {})]
    parts = [
        _metric(metric, {"id": name, "visible": False}) for name, metric in detector.metrics.items()
    ]
    return [*parts, [{"expression": detector.expression, "label": detector.name}]]


def _metric(metric: SourceMetric, options: Mapping[str, Any]) -> list[Any]:
    dimensions = [part for pair in sorted(metric.dimensions.items()) for part in pair]
    return [metric.namespace, metric.metric, *dimensions, {"stat": metric.statistic, **options}]


def _published(name: str, namespace: str) -> list[list[Any]]:
    options = {"stat": "Maximum", "yAxis": "right"}
    return [[namespace, metric, "Detector", name, options] for metric in (ANOMALY, ANOMALY_SCORE)]


def _band(start: datetime, end: datetime) -> list[dict[str, str]]:
    """Return an annotation that fills the time from `start` to `end`."""
    return [
        {"label": "anomaly", "value": _time(start), "color": _BAND_COLOUR},
        {"label": "end", "value": _time(end)},
    ]


def _time(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
