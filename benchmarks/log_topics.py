"""Ordinary records of a log that are anomalous when its topics are read at different times: docs/logs.md.

PYTHONPATH=functions:cli:. .venv/bin/python benchmarks/log_topics.py
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from cutwatch.features.log_event import LogEvent
from cutwatch.streams.key_bucket import KeyBucket
from cutwatch.streams.log_training import Training, train_stream
from cutwatch.streams.record import RawRecord
from cutwatch.streams.scoring import StreamScorer
from cutwatch.streams.trained_model import TrainedModel
from cutwatch_cli.access_logs.shop import Shop
from tests.support.kafka_logs import LOG, STREAM, log_line

MONDAY, HOUR, DAYS = 1_780_272_000, 3_600, 3
TRAINED_UNTIL = MONDAY + DAYS * 24 * HOUR
BEGIN, END = TRAINED_UNTIL + 2 * HOUR, TRAINED_UNTIL + 3 * HOUR


def batches(events: Sequence[LogEvent], topics: int, seconds: float) -> Iterator[list[RawRecord]]:
    """Yield the records of each topic in turn, those of some seconds at once."""
    positions = [0] * topics
    numbered = enumerate(events)
    for _, group in groupby(numbered, key=lambda each: (each[1].time - BEGIN) // seconds):
        read: list[list[RawRecord]] = [[] for _ in range(topics)]
        for number, event in group:
            topic = number % topics
            read[topic].append(RawRecord(log_line(event), f"topic-{topic}-0", positions[topic], event.time))  # fmt: skip
            positions[topic] += 1
        yield from filter(None, read)


def anomalies(training: Training, key: str, read: Iterator[list[RawRecord]]) -> int:
    """Return how many records are anomalous."""
    stream = STREAM.with_log(replace(LOG, key=key))
    scorer = StreamScorer(stream, trained=TrainedModel.of(stream, training.fitted))
    bucket, found = KeyBucket.empty(stream, 0), 0
    for batch in read:
        result = scorer.score(bucket, scorer.by_bucket(batch)[0])
        found += sum(row.incident is not None for row in result.rows)
        bucket.outbox.clear()
    return found


def main() -> None:
    shop = Shop(MONDAY, DAYS * 24 * HOUR + 3 * HOUR, busiest_rate=2.0)
    events = [each.event for each in shop.requests()]
    training = train_stream(STREAM, [e for e in events if e.time < TRAINED_UNTIL], share=1.0)
    hour = [each for each in events if BEGIN <= each.time < END]
    print(f"{len(hour):,} records")
    for topics, key, seconds in ((1, "", 60), (2, "", 2), (2, "", 15), (2, "", 60), (2, "kafka.topic", 60)):  # fmt: skip
        found = anomalies(training, key, batches(hour, topics, seconds))
        print(f"{topics} topics, read {seconds} s at once, key {key or 'none'}: {found} anomalous")


if __name__ == "__main__":
    main()
