"""Closes the windows of keys that have become silent, and delivers what is left in outboxes; a rule invokes it each minute."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cutwatch.delivery.batch_log import log
from cutwatch.delivery.news import news_since
from cutwatch.delivery.replacement import replacement
from cutwatch.delivery.stream_function import stream_function
from cutwatch.delivery.stream_metrics import emit
from cutwatch.observability import Payload, observed_batch
from cutwatch.settings import StreamSettings


@observed_batch
def handler(event: Any, has_time: Callable[[], bool]) -> Payload:  # noqa: ARG001 - the rule's event says nothing
    """Return the number of buckets that were written."""
    settings, folder, now = StreamSettings.from_env(), Path(__file__).parent, datetime.now(UTC)
    not_ended = replacement(settings, folder).end(now, has_time)
    function = stream_function(settings, folder, has_time)
    report = function.sweep.run(now, has_time)
    emit(settings.anomaly_namespace, function.stream, report)
    log(settings.stream_name, report, news_since(function.stream))
    report.undelivered += not_ended
    report.raise_first()
    return {"buckets": len(report.results)}
