"""Scores the records of a Kafka topic as they arrive, from MSK or a self-managed cluster."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cutwatch.delivery.batch_log import log
from cutwatch.delivery.news import news_since
from cutwatch.delivery.stream_function import stream_function
from cutwatch.delivery.stream_metrics import emit
from cutwatch.observability import Payload, observed_batch
from cutwatch.settings import StreamSettings
from cutwatch.streams.kafka import partial_response, records_of


@observed_batch
def handler(event: Any, has_time: Callable[[], bool]) -> Payload:
    """Take `records` by partition; return `batchItemFailures` with the records that must come again, if any."""
    settings = StreamSettings.from_env()
    batches = stream_function(settings, Path(__file__).parent, has_time).batches
    records = records_of(event, time.time())
    report = batches.score(records, has_time)
    emit(settings.anomaly_namespace, batches.scorer.stream, report)
    log(settings.stream_name, report, news_since(batches.scorer.stream))
    return partial_response(records, report.failed)
