"""Scores the changes of a DynamoDB table's items as they arrive, with the model of a SageMaker endpoint."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from cutwatch.delivery.batch_log import log
from cutwatch.delivery.stream_metrics import emit_table
from cutwatch.delivery.table_function import table_scorer
from cutwatch.observability import Payload, observed_batch
from cutwatch.tables.changes import changes_of, partial_response
from cutwatch.tables.settings import TableSettings


@observed_batch
def handler(event: Any, has_time: Callable[[], bool]) -> Payload:
    """Take `Records` of one shard; return `batchItemFailures` with the first change that must come again, if any."""
    settings = TableSettings.from_env()
    scorer = table_scorer(settings, Path(__file__).parent)
    changes = changes_of(event)
    batch = scorer.score(changes, has_time)
    emit_table(settings.anomaly_namespace, settings.watched_table, batch.report)
    log(settings.watched_table, batch.report)
    return partial_response(changes, batch.failed)
