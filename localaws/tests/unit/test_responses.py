"""What a function's answer says about its batch."""

import pytest

from localaws.event_sources.batches import Batch, Result, Settings
from localaws.event_sources.responses import outcome_of
from support.batches import records

BATCH = Batch(tuple(records("abcd")))
REPORTING = Settings(reports_failures=True)


def report(*positions: object) -> dict[str, object]:
    return {"batchItemFailures": [{"itemIdentifier": position} for position in positions]}


@pytest.mark.parametrize("answer", [None, {}, report(), {"batchItemFailures": None}, ""])
def test_nothing_reported_is_success(answer: object) -> None:
    assert outcome_of(answer, BATCH, REPORTING).result is Result.DONE


def test_the_lowest_reported_record_counts_whatever_the_order() -> None:
    assert outcome_of(report("d", "b", "c"), BATCH, REPORTING).first_failed == 1


@pytest.mark.parametrize(
    "answer",
    [
        report("z"),
        report("b", "z"),
        report(""),
        report(None),
        {"batchItemFailures": [{"id": "b"}]},
        {"batchItemFailures": ["b"]},
        {"batchItemFailures": 7},
        "text",
    ],
)
def test_a_report_that_cannot_be_read_fails_the_whole_batch(answer: object) -> None:
    outcome = outcome_of(answer, BATCH, REPORTING)
    assert (outcome.result, outcome.first_failed) == (Result.FAILED, None)


def test_a_report_that_the_mapping_does_not_ask_for_is_success() -> None:
    assert outcome_of(report("b"), BATCH, Settings()).result is Result.DONE


@pytest.mark.parametrize("answer", [None, {}, {"state": 7}])
def test_a_window_without_state_has_failed(answer: object) -> None:
    assert outcome_of(answer, BATCH, Settings(tumbling_seconds=60)).result is Result.FAILED


def test_a_window_hands_on_its_state() -> None:
    assert outcome_of({"state": {"n": 1}}, BATCH, Settings(tumbling_seconds=60)).state == {"n": 1}
