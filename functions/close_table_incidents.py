"""Ends incidents of a table whose keys have become silent, and delivers what is left in the outbox; a rule invokes it."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cutwatch.delivery.batch_log import log
from cutwatch.delivery.table_function import table_scorer
from cutwatch.delivery.table_replacement import table_replacement
from cutwatch.observability import Payload, observed_batch
from cutwatch.tables.settings import TableSettings


@observed_batch
def handler(event: Any, has_time: Callable[[], bool]) -> Payload:  # noqa: ARG001 - the rule's event says nothing
    """Return the number of incidents that ended."""
    settings, folder, now = TableSettings.from_env(), Path(__file__).parent, datetime.now(UTC)
    not_ended = table_replacement(settings, folder).end(now, has_time)
    batch = table_scorer(settings, folder).close_silent(now, has_time)
    log(settings.watched_table, batch.report)
    batch.report.undelivered += not_ended
    batch.report.raise_first()
    return {"ended": sum(len(result.changes) for result in batch.report.results)}
