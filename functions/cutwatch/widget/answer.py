"""The widget's answer to an event of CloudWatch, whatever happens."""

from collections.abc import Mapping
from typing import Any

from cutwatch.errors import CutwatchError
from cutwatch.observability import count, logger
from cutwatch.widget.page import error_note, framed
from cutwatch.widget.render import Widget
from cutwatch.widget.request import WidgetRequest


def answer(widget: Widget, event: Mapping[str, Any]) -> str:
    """Return the HTML for an event; if it cannot be drawn, HTML that says why."""
    request = None
    try:
        request = WidgetRequest.from_event(event)
        return widget.html(request)
    except CutwatchError as error:
        logger.warning("not drawn", reason=str(error))
        count("Errors")
        return framed(request, error_note(error))
