import json
from dataclasses import replace

import pytest

from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.registry.outcome import Outcome, failure_of, reason_of
from tests.support.builders import an_outcome

NOON = "2026-11-02T12:00:00Z"
EVENT = AnomalyEvent(
    f"orders:{NOON}", NOON, "2026-11-02T12:10:00Z", NOON, 3, 1.8, 4.2, 9.0, 2.0, 1.0, 3.0, "level"
)


def test_an_outcome_is_read_back_as_it_was_recorded() -> None:
    outcome = an_outcome(new_events=1, max_anomaly_score=4.2, cutoff=2.3, events=(EVENT,))
    assert Outcome.from_payload(json.loads(json.dumps(outcome.to_payload()))) == outcome


@pytest.mark.parametrize(
    ("severity", "word"),
    [(1.0, "low"), (1.49, "low"), (1.5, "medium"), (2.99, "medium"), (3.0, "high"), (None, "high")],
)
def test_a_severity_has_a_word_and_silence_is_grave(severity: float | None, word: str) -> None:
    assert replace(EVENT, severity=severity).severity_word == word


def test_a_functions_error_is_a_failure_in_its_own_words() -> None:
    cause = json.dumps({"errorMessage": "slow down", "errorType": "Throttled", "stackTrace": []})

    outcome = failure_of("orders", {"Error": "Throttled", "Cause": cause})

    assert outcome == an_outcome(status="FAILED", message="Throttled: slow down")


def test_a_nested_executions_failure_is_told_in_its_own_words() -> None:
    cause = json.dumps({"ExecutionArn": "arn", "Error": "InvalidInput", "Cause": "no such name"})
    caught = {"Error": "States.TaskFailed", "Cause": cause}

    assert reason_of(caught, "training") == "States.TaskFailed: InvalidInput: no such name"


@pytest.mark.parametrize("ended", [None, {"status": "SUCCEEDED"}])
def test_what_did_not_fail_has_no_reason(ended: dict[str, str] | None) -> None:
    assert reason_of(ended, "training") is None


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        ("SageMaker training job x ended Failed: no capacity", None),
        ("", "no cause given"),
        ("{not json", None),
        ("[1, 2]", None),
        ('{"other": 1}', None),
        ('"text"', None),
    ],
)
def test_any_other_cause_is_the_reason_itself(cause: str, reason: str | None) -> None:
    outcome = failure_of("orders", {"Error": "TrainingJobFailed", "Cause": cause})
    assert outcome.message == f"TrainingJobFailed: {reason or cause}"


def test_an_error_without_a_cause_is_still_named() -> None:
    assert failure_of("orders", {"Error": "States.Timeout"}).message == (
        "States.Timeout: no cause given"
    )


def test_a_reason_of_any_length_fits_into_the_registry() -> None:
    outcome = failure_of("orders", {"Error": "Failure", "Cause": "x" * 100_000})
    assert len(outcome.message) == 2_000
