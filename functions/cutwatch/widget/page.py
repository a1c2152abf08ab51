"""The HTML around the widget's content: style, messages, documentation."""

from collections.abc import Sequence
from datetime import timedelta, tzinfo
from html import escape

from cutwatch.errors import AccessDenied, CutwatchError, Throttled
from cutwatch.registry.pending_scores import LONGEST_DELAY, PendingScores
from cutwatch.widget.palette import palette
from cutwatch.widget.request import WidgetRequest
from cutwatch.widget.svg import FONT
from cutwatch.wording import time_in_words

DESCRIPTION = """## Anomalies of a detector

Draws a detector's metric with its anomalies and lists its events in the dashboard's time range; without a detector it
lists the events of all detectors.

### Parameters

| parameter | |
|---|---|
| `detector` | name of a detector in `detectors.yaml`; empty for all |

```yaml
detector: ""
```
"""


def error_note(error: CutwatchError) -> str:
    """Return a note that explains an error to the dashboard's reader."""
    if isinstance(error, AccessDenied):
        return note(
            f"The widget's role lacks a permission: {error}. DrawWidgetRole in template.yaml grants it; a "
            "permissions boundary or a service control policy may deny it."
        )
    if isinstance(error, Throttled):
        return note(f"AWS is throttling requests: {error}. Refresh the dashboard in a minute.")
    return note(f"Nothing to show: {error}")


def framed(request: WidgetRequest | None, content: str) -> str:
    """Wrap the content in its style; without a request, that of a light dashboard."""
    colours = palette(dark=bool(request and request.dark))
    style = (
        f".cutwatch{{color:{colours.text};{FONT};font-size:13px;line-height:1.4;overflow-x:auto}}"
        f".cutwatch p{{margin:0 0 6px;color:{colours.text};overflow-wrap:anywhere}}"
        ".cutwatch .cutwatch-head{display:flex;gap:8px;justify-content:space-between;align-items:flex-start}"
        ".cutwatch .cutwatch-head .btn{flex:none;white-space:nowrap}"
        f".cutwatch a:not(.btn){{color:{colours.link};cursor:pointer;text-decoration:underline}}"
        ".cutwatch .btn{cursor:pointer;text-decoration:none}"
        f".cutwatch .cutwatch-legend,.cutwatch small,.cutwatch caption{{color:{colours.quiet};font-size:11px}}"
        ".cutwatch table{border-collapse:collapse;width:100%;background:none;border:0;box-shadow:none;margin:0}"
        ".cutwatch caption{text-align:left;padding:2px 0;caption-side:top}"
        f".cutwatch th,.cutwatch td{{text-align:left;vertical-align:top;padding:3px 8px 3px 0;"
        f"border:0;border-bottom:1px solid {colours.grid};color:{colours.text};background:none}}"
        f".cutwatch th{{color:{colours.quiet};font-weight:600}}"
        ".cutwatch .cutwatch-details{font-size:11px;white-space:nowrap}"
        ".cutwatch .cutwatch-short{white-space:nowrap}"
    )
    return f'<style>{style}</style><div class="cutwatch">{content}</div>'


def pending_note(pending: Sequence[PendingScores], zone: tzinfo) -> str:
    """Say that the score series follows; nothing if all of it is readable."""
    if not pending:
        return ""
    expected = time_in_words(max(each.expected_by for each in pending), zone)
    hours = LONGEST_DELAY // timedelta(hours=1)
    return note(
        f"The score series follows: CloudWatch shows scores within {hours} hours of their publication (expected by "
        f"{expected}); the anomalies come from the recorded events and are complete."
    )


def note(text: str) -> str:
    """Return a paragraph of plain text."""
    return f"<p>{escape(text)}</p>"
