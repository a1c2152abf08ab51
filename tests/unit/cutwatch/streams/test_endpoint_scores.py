"""Log records that a SageMaker endpoint scores: one request a batch, and each row judged by the model that scored it."""

from functools import cache

import pytest

from cutwatch.endpoints.invocation import ScoringEndpoint
from cutwatch.errors import CutoffMissing, DeploymentUnderWay, Throttled
from cutwatch.streams.batch import BatchReport, BatchScorer
from cutwatch.streams.endpoint_scores import EndpointScores
from cutwatch.streams.key_state import KeyState
from cutwatch.streams.log_training import Training
from cutwatch.streams.model_register import ModelRegister
from cutwatch.streams.model_source import ModelSource
from cutwatch.streams.record import RawRecord
from cutwatch.streams.scoring import StreamScorer
from cutwatch.streams.state_store import StateStore
from tests.support.kafka_logs import raw_records
from tests.support.log_endpoints import (
    ENDPOINT_STREAM,
    EndpointRuntime,
    an_endpoint_training,
    score_of,
)
from tests.support.log_events import an_event, ordinary_events
from tests.support.stream_state import FakeBucket

HOUR = 7_200.0


@cache
def first_training() -> Training:
    return an_endpoint_training("a")


@cache
def second_training() -> Training:
    return an_endpoint_training("b", seed=9)


def records(count: int = 30) -> list[RawRecord]:
    later = [each._replace(time=each.time + HOUR) for each in ordinary_events(count, seed=3)]
    slow = an_event(time=later[-1].time + 1, method="POST", response_time=90.0)
    return raw_records([*later, slow])


class Stored:
    """The bucket of a stream that an endpoint scores, and scorers as execution environments have them."""

    def __init__(self) -> None:
        self.bucket = bucket = FakeBucket()
        self.runtime = EndpointRuntime()
        register = ModelRegister(bucket, ENDPOINT_STREAM)
        for training in (second_training(), first_training()):
            register.add(training.fitted, training.entry(0.0))

    def environment(self) -> BatchScorer:
        models = ModelSource(self.bucket, ENDPOINT_STREAM, lambda: 0.0)
        scorer = StreamScorer(ENDPOINT_STREAM, 1, None, models.current(), models.newest)
        endpoint = ScoringEndpoint(self.runtime, "shop", pause=lambda _: None)
        return BatchScorer(
            scorer,
            StateStore(self.bucket, ENDPOINT_STREAM),
            lambda _: None,
            endpoint=EndpointScores(endpoint, models),
        )

    def state(self) -> KeyState:
        return StateStore(self.bucket, ENDPOINT_STREAM).load(0).bucket.states[""]


@pytest.fixture
def stored() -> Stored:
    return Stored()


def scores(report: BatchReport) -> list[float]:
    report.raise_first()
    return [row.score for row in report.rows()]


def test_a_batch_is_one_request_whose_answer_scores_its_rows(stored: Stored) -> None:
    report = stored.environment().score(records())

    [lines] = stored.runtime.requests
    known = {score_of(line) for line in lines}
    assert len(scores(report)) == len(records())
    assert set(scores(report)) <= known


def test_an_anomalous_record_begins_an_incident_with_a_reason(stored: Stored) -> None:
    report = stored.environment().score(records())

    [change] = [each for result in report.results for each in result.changes]
    assert change.kind == "began"
    assert any("POST /cart" in reason for reason in change.incident.reasons)


def test_batches_of_any_size_leave_the_same_state(stored: Stored) -> None:
    whole = scores(stored.environment().score(records()))
    at_once = stored.state()
    for each in stored.bucket.list("streams/"):
        stored.bucket.delete(each.key)
    parts = list[float]()
    for start in range(0, len(records()), 7):
        parts += scores(stored.environment().score(records()[start : start + 7]))

    assert parts == whole
    assert stored.state().to_bytes(ENDPOINT_STREAM) == at_once.to_bytes(ENDPOINT_STREAM)


def test_a_batch_that_was_committed_asks_for_nothing_when_it_comes_again(stored: Stored) -> None:
    stored.environment().score(records())
    again = stored.environment().score(records())

    assert len(stored.runtime.requests) == 1
    assert again.total("duplicates") == len(records())


def test_throttled_requests_are_tried_again_while_there_is_time(stored: Stored) -> None:
    stored.runtime.failures = [
        Throttled("InvokeEndpoint", "ThrottlingException", "slow down"),
        Throttled("InvokeEndpoint", "ThrottlingException", "slow down"),
    ]

    assert len(scores(stored.environment().score(records()))) == len(records())
    assert len(stored.runtime.requests) == 3


def test_without_time_the_batch_comes_again_and_nothing_is_committed(stored: Stored) -> None:
    stored.runtime.failures = [Throttled("InvokeEndpoint", "ThrottlingException", "slow down")]
    answers = iter([True, False])

    report = stored.environment().score(records(), lambda: next(answers))

    assert report.failed == records()
    assert [type(each) for each in report.errors] == [Throttled]
    assert list(StateStore(stored.bucket, ENDPOINT_STREAM).stored()) == []


def test_rows_are_made_again_with_the_features_of_the_model_that_serves(stored: Stored) -> None:
    stored.runtime.variants = ["b"]
    environment = stored.environment()

    report = environment.score(records())

    first, second = stored.runtime.requests
    assert first != second
    assert set(scores(report)) <= {score_of(line) for line in second}
    assert stored.state().model == second_training().fitted.version
    row = next(iter(report.rows()))
    assert row.severity == pytest.approx(row.score / second_training().fitted.cutoff.value)


def test_the_model_that_serves_is_remembered(stored: Stored) -> None:
    stored.runtime.variants = ["b"]
    environment = stored.environment()
    environment.score(records()[:10])
    environment.score(records()[10:])

    assert len(stored.runtime.requests) == 3


def test_a_model_of_which_nothing_is_stored_judges_no_record(stored: Stored) -> None:
    stored.runtime.variants = ["unknown"]

    report = stored.environment().score(records())

    assert report.failed == records()
    with pytest.raises(CutoffMissing, match="variant unknown has no features and no cutoff"):
        report.raise_first()


def test_models_that_keep_changing_let_the_batch_come_again(stored: Stored) -> None:
    stored.runtime.variants = ["b", "a"] * 5

    with pytest.raises(DeploymentUnderWay, match="several models in turn"):
        stored.environment().score(records()).raise_first()
