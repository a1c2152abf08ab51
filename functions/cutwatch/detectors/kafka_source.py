"""Source of a stream in Kafka, as `detectors.yaml` and the settings have it: `kafka:TOPIC`, or `kafka:TOPIC,TOPIC`."""

import re
from collections.abc import Iterator

from cutwatch.detectors.metric_source import Problem

_PREFIX = "kafka:"
_TOPICS = re.compile(r"[A-Za-z0-9._-]{1,249}(,[A-Za-z0-9._-]{1,249})*")
# A mapping of Lambda reads one topic; stacks/kafka_stream.yaml has this many.
MOST_TOPICS = 3


def is_of_kafka(source: str) -> bool:
    """Return True if a source is in Kafka."""
    return source.startswith(_PREFIX)


def topics_of(source: str) -> tuple[str, ...]:
    """Return the topics of a source in Kafka."""
    return tuple(source.removeprefix(_PREFIX).split(","))


def source_problems(source: str) -> Iterator[Problem]:
    """Yield what is wrong with a source in Kafka."""
    if not _TOPICS.fullmatch(source.removeprefix(_PREFIX)):
        yield (
            "source",
            f"{source!r} does not name Kafka topics; expected one such as kafka:orders, or up to {MOST_TOPICS}, "
            "separated by commas without spaces",
        )
        return
    topics = topics_of(source)
    if len(set(topics)) < len(topics):
        yield "source", f"{source!r} names a topic twice"
    if len(topics) > MOST_TOPICS:
        yield (
            "source",
            f"{source!r} has {len(topics)} topics, at most {MOST_TOPICS} are read by a stack; declare a stream for the others",
        )
