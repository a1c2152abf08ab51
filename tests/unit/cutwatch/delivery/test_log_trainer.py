"""The function that trains a log's model: what it reads, takes, refuses and rolls back."""

import gzip
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from cutwatch.delivery.log_trainer import LogTrainer
from cutwatch.detectors.stream import Stream
from cutwatch.errors import ConnectionLost, InvalidInput, TrainingRefused
from cutwatch.features.log_event import LogEvent
from cutwatch.streams.model_register import ModelRegister
from cutwatch.streams.record_reader import RecordReader
from tests.support.kafka_logs import LOG, STREAM, log_line
from tests.support.log_events import MONDAY, ordinary_events
from tests.support.stream_state import Crash, FakeBucket

EVENTS = ordinary_events(1_200)
SCHEDULED = {"source": "aws.events"}


@dataclass
class Stack:
    """A stream's trainer, its archive and its models; the clock stands after the records."""

    stream: Stream = STREAM
    archive: FakeBucket = field(default_factory=lambda: FakeBucket("archive"))
    bucket: FakeBucket = field(default_factory=FakeBucket)

    @property
    def register(self) -> ModelRegister:
        return ModelRegister(self.bucket, self.stream)

    def store(self, name: str, events: list[LogEvent]) -> None:
        content = b"\n".join(log_line(each) for each in events)
        self.archive.write_bytes(f"past/{name}", gzip.compress(content) if name.endswith(".gz") else content)  # fmt: skip

    def run(self, event: Any = SCHEDULED) -> dict[str, Any]:
        reader = RecordReader(self.stream)
        clock = lambda: MONDAY + 1_000_000.0  # noqa: E731
        return LogTrainer(self.stream, reader, self.archive, "past/", self.register, clock).run(
            event
        )


@pytest.fixture
def stack() -> Stack:
    found = Stack()
    found.store("2026/06/01.json.gz", [*EVENTS[:600]])
    found.store("2026/06/02.json", [*EVENTS[600:]])
    return found


def test_the_first_80_percent_train_and_the_threshold_is_that_of_their_scores(stack: Stack) -> None:
    outcome = stack.run()
    assert (outcome["outcome"], outcome["records"]) == ("trained", 960)
    assert outcome["trained_until"] == EVENTS[959].time
    assert outcome["anomalous"] <= 0.02
    assert stack.register.read().version == outcome["version"]


def test_a_training_that_is_repeated_changes_nothing(stack: Stack) -> None:
    first, writes = stack.run(), stack.bucket.writes
    assert stack.run()["outcome"] == "unchanged"
    assert (stack.register.read().version, stack.bucket.writes) == (first["version"], writes)


@pytest.mark.parametrize("point", ["write before", "write after", "read before", "read after"])
def test_a_training_that_ends_half_way_is_made_up_by_the_next(stack: Stack, point: str) -> None:
    stack.run()
    stack.store("2026/06/03.json", [each._replace(time=each.time + 1_200) for each in EVENTS])

    def crash(call: str) -> None:
        if call == point:
            raise Crash

    stack.bucket.interrupt = crash
    with pytest.raises(Crash):
        stack.run()
    stack.bucket.interrupt = lambda _: None
    assert stack.run()["outcome"] in ("trained", "unchanged")
    assert stack.register.read().generation == 2


def test_lines_that_are_not_log_records_are_counted_by_reason(stack: Stack) -> None:
    stack.archive.write_bytes("past/2026/06/03.json", b"rubbish\n\n{}\r\n")
    rejected = stack.run()["rejected"]
    assert rejected == {"not JSON": 1, "missing field": 1}


def test_a_model_that_finds_an_incident_in_the_newest_records_is_refused(stack: Stack) -> None:
    first = stack.run()
    incident = [each._replace(time=each.time + 1_200, response_time=40.0) for each in EVENTS[:200]]
    stack.store("2026/06/03.json", incident)
    with pytest.raises(TrainingRefused, match=f"model {first['version']} stays current"):
        stack.run()
    assert stack.register.read().version == first["version"]
    assert stack.run({"force": True})["version"] != first["version"]


def test_a_scheduled_training_leaves_a_model_that_was_rolled_back_to(stack: Stack) -> None:
    first = stack.run()
    stack.store("2026/06/03.json", [each._replace(time=each.time + 1_200) for each in EVENTS])
    second = stack.run()
    assert stack.run({"roll_back": True})["version"] == first["version"]
    assert stack.run(SCHEDULED)["outcome"] == "held"
    assert stack.run({})["version"] == second["version"]


def test_the_features_are_frozen_with_the_model(stack: Stack) -> None:
    stack.run()
    content = stack.bucket.read_bytes(stack.register.model_key(stack.register.read().version))
    assert b'"usual_times"' in content


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ([], "the event is list; expected an object"),
        ({"force": "yes"}, "force is 'yes'; expected true or false"),
        ({"roll_back": 3}, "roll_back is 3; expected true, or the version of a model"),
    ],
)
def test_an_invalid_request_names_the_field_and_the_value(event: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        Stack().run(event)


def test_an_empty_prefix_is_named() -> None:
    with pytest.raises(InvalidInput, match="s3://archive/past/ has no objects"):
        Stack().run()


def test_an_archive_of_something_else_says_so_with_the_reasons() -> None:
    stack = Stack()
    stack.archive.write_bytes("past/1", b"rubbish\n")
    with pytest.raises(InvalidInput, match=r"no line is a log record .* rejected: {'not JSON': 1}"):
        stack.run()


def test_a_lost_answer_of_the_archive_fails_the_training(stack: Stack) -> None:
    def lost(_: str) -> None:
        raise ConnectionLost("GetObject", "ReadTimeoutError", "no answer")

    stack.archive.interrupt = lost
    with pytest.raises(ConnectionLost):
        stack.run()
    assert not stack.register.read().version


def test_raw_log_lines_are_read_as_the_stream_declares_them() -> None:
    log = replace(
        LOG, format="access_log", time="", time_format="iso8601", response_time="", level="",
        method="", path="", status="", log_format='%h %t "%r" %>s %D',
    )  # fmt: skip
    stack = Stack(stream=STREAM.with_log(log))
    lines = (
        f'10.0.0.1 [01/Jun/2026:00:{n // 60:02d}:{n % 60:02d} +0000] "GET /cart HTTP/1.1" 200 {150_000 + n % 7_000}'
        for n in range(1_200)
    )
    stack.archive.write_bytes("past/access.log", "\n".join(lines).encode())
    assert stack.run()["records"] == 960
