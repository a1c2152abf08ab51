"""Draws the dashboard's custom widget: a detector's metric with its anomalies, and a table of events."""

from datetime import UTC, datetime

from cutwatch.aws.clients import client
from cutwatch.observability import Payload, observed_drawing
from cutwatch.registry.registry import Registry
from cutwatch.settings import DrawWidgetSettings
from cutwatch.widget.answer import answer
from cutwatch.widget.page import DESCRIPTION
from cutwatch.widget.render import Widget


@observed_drawing
def handler(event: Payload, own_arn: str) -> str:
    """CloudWatch's event for custom widgets -> HTML; with `describe`, documentation in Markdown."""
    if event.get("describe"):
        return DESCRIPTION
    settings = DrawWidgetSettings.from_env()
    registry = Registry(client("dynamodb"), settings.table_name)
    now, namespace = datetime.now(UTC), settings.anomaly_namespace
    widget = Widget(client("cloudwatch"), registry, namespace, settings.aws_region, own_arn, now)
    return answer(widget, event)
