"""Metrics of a live run: 1 while an incident lasts, stamped now; with `publish: all`, the score of every datapoint."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from cutwatch.aws.cloudwatch import Datum, datum, publish
from cutwatch.live.bucket_run import RunReport
from cutwatch.live.plan import PlannedDetector
from cutwatch.live.reading import read_again_periods
from cutwatch.metric_names import LIVE_ANOMALY
from cutwatch.publishing.datums import datapoint_datums

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient


def publish_run(
    cloudwatch: "CloudWatchClient",
    namespace: str,
    planned: Sequence[PlannedDetector],
    report: RunReport,
    now: datetime,
    *,
    by_detector: bool,
) -> None:
    """Publish the metrics of a run over a bucket; nothing if no incident lasts and no detector asks for all."""
    datums = [*_lasting(report, now, by_detector=by_detector), *_datapoints(planned, report)]
    if datums:
        publish(cloudwatch, namespace, datums)


def _lasting(report: RunReport, now: datetime, *, by_detector: bool) -> Iterator[Datum]:
    """Yield 1 without dimensions and, if asked, 1 by detector, for what lasts; without datums, alarms are OK."""
    if report.lasting:
        yield datum(LIVE_ANOMALY, 1, now)
    for name in report.lasting if by_detector else ():
        yield datum(LIVE_ANOMALY, 1, now, {"Detector": name})


def _datapoints(planned: Sequence[PlannedDetector], report: RunReport) -> Iterator[Datum]:
    """Yield the newest scores of detectors that publish all, as far back as they may have been corrected."""
    for each in planned:
        evaluation = report.scored.get(each.name)
        if evaluation and each.detector.publish == "all" and len(evaluation.found.epochs):
            period = each.detector.period
            newest = int(evaluation.found.epochs[-1])
            first = newest - read_again_periods(period) * period
            yield from datapoint_datums(evaluation.found.since(first), each.name)
