"""Draws the dashboard's custom widget: a detector's metric with its anomalies, and a table of events."""

from datetime import UTC, datetime

from cutwatch.aws.clients import client
from cutwatch.errors import CutwatchError
from cutwatch.observability import Payload, count, logger, observed_drawing
from cutwatch.registry.registry import Registry
from cutwatch.settings import DrawWidgetSettings
from cutwatch.widget.page import DESCRIPTION, framed, told
from cutwatch.widget.render import Widget
from cutwatch.widget.request import WidgetRequest


@observed_drawing
def handler(event: Payload, own_arn: str) -> str:
    """CloudWatch's event for custom widgets -> HTML; with `describe`, documentation in Markdown."""
    if event.get("describe"):
        return DESCRIPTION
    settings = DrawWidgetSettings.from_env()
    request = None
    try:
        request = WidgetRequest.from_event(event)
        widget = Widget(
            client("cloudwatch"),
            Registry(client("dynamodb"), settings.table_name),
            settings.anomaly_namespace,
            settings.aws_region,
            own_arn,
            datetime.now(UTC),
        )
        return widget.html(request)
    except CutwatchError as error:
        logger.warning("not drawn", reason=str(error))
        count("Errors")
        return framed(request, told(error))
