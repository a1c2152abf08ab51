"""One aggregate log line per invocation, and one per error; never a record."""

from collections import Counter

from cutwatch.observability import logger
from cutwatch.streams.batch import BatchReport


def log(stream: str, report: BatchReport) -> None:
    """Log the counts of a batch, and the first record of each reason to reject one."""
    rejected = [each for result in report.results for each in result.rejected]
    first = {each.reason: each for each in reversed(rejected)}
    logger.append_keys(stream=stream)
    for reason, number in Counter(each.reason for each in rejected).items():
        example = first[reason]
        logger.warning("rejected", reason=reason, records=number, detail=example.detail,
                       shard=example.lane, sequence_number=str(example.position))  # fmt: skip
    for error in report.errors:
        logger.error("not committed", reason=f"{type(error).__name__}: {error}")
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
    )
