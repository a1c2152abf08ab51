"""One aggregate log line per invocation, one per path with anomalies, and one per error; never a record.

The metric filters of stacks/kafka_stream.yaml read these lines.
"""

import math
from collections import Counter
from collections.abc import Iterator
from itertools import islice

from cutwatch.observability import logger
from cutwatch.streams.batch import BatchReport

_MOST_PATHS = 20
# A service that is down fails every bucket of a batch, each with its own text.
_MOST_REASONS = 1


def log(stream: str, report: BatchReport, since: float = -math.inf) -> None:
    """Log the counts of a batch, and the first record of each reason to reject one.

    Anomalies since `since`, an epoch second, are recent.
    """
    rejected = [each for result in report.results for each in result.rejected]
    first = {each.reason: each for each in reversed(rejected)}
    logger.append_keys(stream=stream)
    for reason, number in Counter(each.reason for each in rejected).items():
        example = first[reason]
        logger.warning("rejected", reason=reason, records=number, detail=example.detail,
                       shard=example.lane, sequence_number=str(example.position))  # fmt: skip
    not_committed = Counter(f"{type(error).__name__}: {error}" for error in report.errors)
    for text, number in not_committed.most_common(_MOST_REASONS):
        logger.error("not committed", reason=text, buckets=number, reasons=len(not_committed))
    for error in report.undelivered:
        logger.error("not delivered yet", reason=f"{type(error).__name__}: {error}")
    logger.info(
        "scored",
        records=report.total("read"),
        accepted=report.total("accepted"),
        late=report.total("late"),
        duplicates=report.total("duplicates"),
        rejected=len(rejected),
        again=len(report.failed),
        changes=sum(len(result.changes) for result in report.results),
        extra=_of_rows(report, since),
    )
    for (path, level), number in islice(_anomalous(report).most_common(), _MOST_PATHS):
        # `level` is that of the line itself.
        logger.info("anomalous", path=path, record_level=level, anomalies=number)


def _of_rows(report: BatchReport, since: float) -> dict[str, float]:
    """Return the anomalies, those of the last minutes, the highest score and the mean response time, if there is one."""
    rows = [row for row in report.rows() if not row.learning]
    anomalous = [row for row in rows if row.incident is not None]
    found: dict[str, float] = {
        "anomalies": len(anomalous),
        "recent_anomalies": sum(row.time >= since for row in anomalous),
    }
    if rows:
        found["score"] = max(row.score for row in rows)
    seconds = [*_response_times(report)]
    if seconds:
        found["response_seconds"] = math.fsum(seconds) / len(seconds)
    return found


def _response_times(report: BatchReport) -> Iterator[float]:
    for result in report.results:
        for _, row in result.events:
            if row.event.response_time is not None:
                yield row.event.response_time


def _anomalous(report: BatchReport) -> Counter[tuple[str, str]]:
    """Return the numbers of anomalous log events by path template and level."""
    anomalous = {row.origin for row in report.rows() if row.incident is not None}
    return Counter(
        (row.categories.path, row.categories.level)
        for result in report.results
        for origin, row in result.events
        if origin in anomalous
    )
