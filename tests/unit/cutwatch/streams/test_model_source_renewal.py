"""Another model becomes current while records arrive: positions, windows and incidents go on."""

from dataclasses import dataclass, field

import pytest

from cutwatch.errors import InvalidSetting, ServiceFault
from cutwatch.features.log_event import LogEvent
from cutwatch.streams.batch import BatchScorer
from cutwatch.streams.log_training import Training
from cutwatch.streams.model_register import ModelRegister
from cutwatch.streams.model_source import ModelSource
from cutwatch.streams.scoring import StreamScorer
from cutwatch.streams.state_store import StateStore
from tests.support.kafka_logs import STREAM, a_training, raw_records
from tests.support.log_events import MONDAY, ordinary_events
from tests.support.stream_state import FakeBucket, Inbox

LATER = [each._replace(time=each.time + 7_200) for each in ordinary_events(60, seed=3)]


@dataclass
class Environment:
    """An execution environment that scores the stream, with a clock of its own."""

    bucket: FakeBucket
    inbox: Inbox = field(default_factory=Inbox)
    now: float = 0.0

    def __post_init__(self) -> None:
        self.models = ModelSource(self.bucket, STREAM, lambda: self.now)
        self.scorer = StreamScorer(STREAM, trained=self.models.current(), newest=self.models.newest)
        self.store = StateStore(self.bucket, STREAM)

    def score(self, events: list[LogEvent], first: int) -> int:
        """Score events, as an invocation does; return how many were applied."""
        self.scorer.use(self.models.current())
        batches = BatchScorer(self.scorer, self.store, self.inbox.deliver, keeps_summaries=True)
        report = batches.score(raw_records(events, first))
        assert not report.failed
        return report.total("accepted")

    @property
    def key_model(self) -> str:
        return StateStore(self.bucket, STREAM).load(0).bucket.states[""].model


def make_current(bucket: FakeBucket, training: Training) -> str:
    ModelRegister(bucket, STREAM).add(training.fitted, training.entry(0.0))
    return training.fitted.version


@pytest.fixture
def bucket() -> FakeBucket:
    found = FakeBucket()
    make_current(found, a_training())
    return found


def test_a_stream_without_a_model_names_both_ways_to_train_one() -> None:
    with pytest.raises(InvalidSetting, match="run cutwatch train with --upload, or invoke"):
        Environment(FakeBucket())


def test_an_environment_takes_the_next_model_within_a_minute(bucket: FakeBucket) -> None:
    environment = Environment(bucket)
    environment.score(LATER[:20], 0)
    first = environment.key_model
    second = make_current(bucket, a_training(seed=2))
    environment.now = 59.0
    environment.score(LATER[20:40], 20)
    assert environment.key_model == first
    environment.now = 61.0
    environment.score(LATER[40:], 40)
    assert environment.key_model == second != first


def test_no_record_is_applied_twice_across_models(bucket: FakeBucket) -> None:
    before, after = Environment(bucket), Environment(bucket)
    before.score(LATER[:40], 0)
    make_current(bucket, a_training(seed=2))
    after.now = 100.0
    assert after.score(LATER, 0) == 20
    assert after.score(LATER, 0) == 0


def test_an_environment_with_the_model_before_takes_the_one_that_a_bucket_has(
    bucket: FakeBucket,
) -> None:
    behind, ahead = Environment(bucket), Environment(bucket)
    second = make_current(bucket, a_training(seed=2))
    ahead.now = 61.0
    ahead.score(LATER[:20], 0)
    behind.score(LATER[20:], 20)
    assert behind.key_model == second
    assert behind.scorer.trained is not None
    assert behind.scorer.trained.generation == 2


def test_an_open_incident_goes_on_with_the_next_model(bucket: FakeBucket) -> None:
    slow = [each._replace(response_time=30.0) for each in LATER[:2]]
    environment = Environment(bucket)
    environment.score(slow[:1], 0)
    make_current(bucket, a_training(seed=2))
    environment.now = 61.0
    environment.score(slow[1:], 1)
    begun = [change for _, change in environment.inbox.changes if change.startswith("began")]
    assert len(begun) == 1
    state = StateStore(bucket, STREAM).load(0).bucket.states[""]
    assert state.incident is not None
    assert state.incident.begin_time == MONDAY + 7_200


def test_a_register_that_cannot_be_read_leaves_the_model_before(bucket: FakeBucket) -> None:
    environment = Environment(bucket)
    first = environment.models.current()
    make_current(bucket, a_training(seed=2))
    environment.now = 61.0

    def fail(_: str) -> None:
        raise ServiceFault("GetObject", "InternalError", "try again")

    bucket.interrupt = fail
    assert environment.models.current() is first
    bucket.interrupt = lambda _: None
    environment.now = 122.0
    assert environment.models.current() is not first


def test_a_rollback_is_another_generation(bucket: FakeBucket) -> None:
    first = ModelRegister(bucket, STREAM).read().version
    make_current(bucket, a_training(seed=2))
    environment = Environment(bucket)
    environment.score(LATER[:20], 0)
    ModelRegister(bucket, STREAM).roll_back()
    environment.now = 61.0
    environment.score(LATER[20:], 20)
    assert environment.key_model == first
