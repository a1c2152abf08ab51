"""Ends incidents of a table whose keys have become silent, and delivers what is left in the outbox; a rule invokes it."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cutwatch.delivery.batch_log import log
from cutwatch.delivery.table_function import table_scorer
from cutwatch.observability import Payload, observed_batch
from cutwatch.tables.settings import TableSettings


@observed_batch
def handler(event: Any, has_time: Callable[[], bool]) -> Payload:  # noqa: ARG001 - the rule's event says nothing
    """Return the number of incidents that ended."""
    settings = TableSettings.from_env()
    scorer = table_scorer(settings, Path(__file__).parent)
    batch = scorer.close_silent(datetime.now(UTC))
    log(settings.watched_table, batch.report)
    batch.report.raise_first()
    return {"ended": sum(len(result.changes) for result in batch.report.results)}
