"""Writes the hourly reports of a log from the summaries in its queue; a rule invokes it each hour."""

from collections.abc import Callable
from typing import Any

from cutwatch.aws.clients import client
from cutwatch.aws.s3 import Bucket
from cutwatch.observability import Payload, observed_batch
from cutwatch.reports.reporting import HourReporter
from cutwatch.settings import ReportHourSettings


@observed_batch
def handler(event: Any, has_time: Callable[[], bool]) -> Payload:  # noqa: ARG001 - the rule's event says nothing
    """Return the number of summaries that were added, and the keys of the reports that were written."""
    settings = ReportHourSettings.from_env()
    bucket = Bucket(client("s3"), settings.bucket_name)
    reporter = HourReporter(settings.stream_name, bucket, client("sqs"), settings.results_url)
    drained = reporter.run(has_time)
    return {"added": drained.added, "known": drained.known, "reports": sorted(drained.reports)}
