"""Which trained model is current: versions, rollback, races."""

from dataclasses import replace

import numpy as np
import pytest

from cutwatch.anomaly_models.fitted_model import FittedModel
from cutwatch.anomaly_models.one_class_svm import OneClassSvm
from cutwatch.detection.sigma_threshold import Cutoff
from cutwatch.errors import ConditionFailed, InvalidInput, MalformedObject
from cutwatch.streams.model_register import MOST_VERSIONS, ModelRegister, ModelVersion
from tests.support.kafka_logs import STREAM
from tests.support.stream_state import FakeBucket


def a_model(number: int) -> tuple[FittedModel, ModelVersion]:
    machine = OneClassSvm(np.array([[float(number)]]), np.array([1.0]), 1.0, 1.0)
    fitted = FittedModel("one_class_svm", machine, Cutoff(0.0, 1.0, 6.0, 6.0))
    return fitted, ModelVersion(fitted.version, 100.0 + number, 50.0, 800, 6.0, 0.01)


def a_register(models: int) -> ModelRegister:
    register = ModelRegister(FakeBucket(), STREAM)
    for number in range(models):
        register.add(*a_model(number))
    return register


def fake(register: ModelRegister) -> FakeBucket:
    assert isinstance(register.bucket, FakeBucket)
    return register.bucket


def version(number: int) -> str:
    return a_model(number)[1].version


def test_before_the_first_training_there_is_no_model() -> None:
    assert (a_register(0).read().version, a_register(0).read().generation) == ("", 0)


def test_a_model_is_stored_before_it_is_current() -> None:
    register = a_register(0)
    seen: list[bool] = []

    def look(call: str) -> None:
        if call == "write before":
            seen.append(register.model_key(version(0)) in fake(register).objects)

    fake(register).interrupt = look
    register.add(*a_model(0))
    assert seen == [True]
    assert register.read().version == version(0)


def test_the_newest_versions_are_kept_and_the_others_deleted() -> None:
    register = a_register(MOST_VERSIONS + 2)
    known = [each.version for each in register.read().versions]
    assert known == [version(each) for each in range(MOST_VERSIONS + 1, 1, -1)]
    stored = {key.rpartition("/")[2] for key in fake(register).objects} - {
        register.key.rpartition("/")[2]
    }
    assert stored == set(known)


def test_a_version_that_the_entry_names_is_not_deleted() -> None:
    bucket = FakeBucket()
    for number in range(MOST_VERSIONS + 1):
        ModelRegister(bucket, replace(STREAM, model_version=version(0))).add(*a_model(number))
    assert f"log-models/shop/{version(0)}" in bucket.objects


def test_a_rollback_takes_the_version_before_and_holds_it() -> None:
    register = a_register(3)
    now = register.roll_back()
    assert (now.version, now.held, now.generation) == (version(1), True, 4)
    assert register.roll_back().version == version(0)
    assert register.roll_back(version(2)).version == version(2)
    assert not register.add(*a_model(3)).held


def test_a_rollback_after_a_rollback_and_a_training_returns_to_the_version_that_was_current() -> (
    None
):
    register = a_register(MOST_VERSIONS)
    register.roll_back(version(0))
    register.add(*a_model(MOST_VERSIONS))
    assert f"log-models/shop/{version(0)}" in fake(register).objects
    assert register.roll_back().version == version(0)


@pytest.mark.parametrize(
    ("models", "to", "message"),
    [
        (1, "", "there is no model before the current one; the stored versions are "),
        (0, "", "the stored versions are none"),
        (2, "0f3c5a7b9d12", "there is no model 0f3c5a7b9d12; the stored versions are "),
    ],
)
def test_a_rollback_to_nothing_names_what_there_is(models: int, to: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        a_register(models).roll_back(to)


def test_two_trainings_at_once_are_both_kept() -> None:
    register = a_register(1)
    rival = ModelRegister(register.bucket, STREAM)

    def overtake(call: str) -> None:
        if call == "write before":
            fake(register).interrupt = lambda _: None
            rival.add(*a_model(1))

    fake(register).interrupt = overtake
    now = register.add(*a_model(2))
    assert (now.version, now.generation) == (version(2), 3)
    assert [each.version for each in now.versions] == [version(2), version(1), version(0)]


def test_a_rollback_whose_answer_is_lost_takes_one_step() -> None:
    """botocore repeats the write, which then finds a newer object than it read."""
    register, lost = a_register(3), [True]

    def interrupt(call: str) -> None:
        if call == "write after" and lost.pop():
            lost.append(False)
            raise ConditionFailed("PutObject", "PreconditionFailed", "written already")

    fake(register).interrupt = interrupt
    assert register.roll_back().version == version(1)


def test_a_damaged_register_is_named() -> None:
    register = a_register(0)
    fake(register).write_bytes(register.key, b"[]")
    with pytest.raises(MalformedObject, match=r"s3://data/log-models/shop/current-\w+\.json"):
        register.read()
