"""Scores the records of a Kinesis stream as they arrive, with forests that learn each record after scoring it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from cutwatch.delivery.batch_log import log
from cutwatch.delivery.news import news_since
from cutwatch.delivery.stream_function import stream_function
from cutwatch.delivery.stream_metrics import emit
from cutwatch.observability import Payload, observed_batch
from cutwatch.settings import StreamSettings
from cutwatch.streams.kinesis import partial_response, records_of


@observed_batch
def handler(event: Any, has_time: Callable[[], bool]) -> Payload:
    """Take `Records` of one shard; return `batchItemFailures` with the first record that must come again, if any."""
    settings = StreamSettings.from_env()
    batches = stream_function(settings, Path(__file__).parent, has_time).batches
    report = batches.score(records_of(event), has_time)
    emit(settings.anomaly_namespace, batches.scorer.stream, report)
    log(settings.stream_name, report, news_since(batches.scorer.stream))
    return partial_response(report.failed)
