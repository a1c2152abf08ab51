"""A batch of a table's changes: scores by order, cutoffs by variant, and everything once."""

from datetime import UTC, datetime

import pytest

from cutwatch.errors import ConditionFailed, ConnectionLost, NotFound, ServiceFault, Throttled
from cutwatch.streams.incidents import STATE_WAS_DAMAGED, IncidentChange
from cutwatch.tables.state import TableStateStore
from tests.support.watched_tables import (
    NEW,
    NOW,
    OLD,
    Watching,
    changes,
    cutoff,
    sequences,
    stream_record,
    watched,
)

THROTTLED = Throttled("InvokeEndpoint", "ThrottlingException", "Rate exceeded")


def test_a_batch_is_scored_in_one_request_and_anomalies_are_delivered() -> None:
    watching = Watching()
    batch = watching.score(
        stream_record(1.0, 1), stream_record(2.5, 2, item="2"), stream_record(1.5, 3, item="3")
    )
    assert watching.runtime.requests == [["1.0", "2.5", "1.5"]]
    assert [kind for kind, _ in watching.delivered] == ["began"]
    [result] = batch.report.results
    assert [row.severity for row in result.rows] == [0.5, 1.25, 0.75]
    assert [bool(row.incident) for row in result.rows] == [False, True, False]
    assert batch.failed == []


def test_two_changes_of_one_item_are_two_rows() -> None:
    watching = Watching()
    batch = watching.score(stream_record(1.0, 1), stream_record(3.0, 2))
    [result] = batch.report.results
    assert [row.values for row in result.rows] == [(1.0,), (3.0,)]


def test_a_score_at_the_cutoff_is_anomalous_and_sensitivity_multiplies_the_cutoff() -> None:
    assert Watching().score(stream_record(2.0, 1)).report.results[0].changes
    assert not Watching(watched(sensitivity="low")).score(stream_record(2.9, 1)).report.results[0].changes  # fmt: skip


def test_a_batch_that_comes_again_adds_nothing() -> None:
    watching = Watching(keeps_rows=False)
    records = [stream_record(1.0, 1), stream_record(5.0, 2), stream_record("x", 3, item="2")]
    watching.score(*records)
    delivered, written = list(watching.delivered), dict(watching.bucket.objects)
    again = watching.score(*records)
    assert watching.delivered == delivered
    assert watching.rejected == ["not a number"]
    assert watching.bucket.objects == written
    assert again.report.results[0].duplicates == 2


def test_a_normal_batch_writes_no_state() -> None:
    watching = Watching()
    watching.score(stream_record(1.0, 1))
    assert watching.bucket.objects == {}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"S": "8"}, "not a number"),
        ({"BOOL": True}, "not a number"),
        ({"NULL": True}, "missing field"),
        ({"N": "1e31"}, "too large"),
    ],
)
def test_an_item_without_a_row_is_rejected_once_and_stops_nothing(
    value: object, reason: str
) -> None:
    watching = Watching()
    batch = watching.score(stream_record(value, 1), stream_record(1.0, 2, item="2"))
    assert watching.rejected == [reason]
    assert batch.failed == []
    assert watching.runtime.requests == [["1.0"]]


def test_a_stream_without_new_images_rejects_its_records() -> None:
    record = stream_record(1.0, 1)
    del record["dynamodb"]["NewImage"]
    watching = Watching()
    watching.score(record)
    assert watching.rejected == ["missing field"]


def test_each_variants_scores_are_compared_with_its_own_cutoff() -> None:
    watching = Watching()
    watching.cutoffs.record(cutoff(NEW, value=10.0))
    assert watching.score(stream_record(5.0, 1)).report.results[0].changes
    watching.runtime.variant = NEW
    assert not watching.score(stream_record(5.0, 2, item="2")).report.results[0].changes
    watching.runtime.variant = OLD
    assert watching.score(stream_record(5.0, 3, item="3")).report.results[0].rows[0].severity == 2.5


def test_a_variant_without_a_cutoff_fails_the_batch_until_the_cutoff_is_there() -> None:
    watching = Watching()
    watching.runtime.variant = NEW
    batch = watching.score(stream_record(5.0, 1), stream_record(1.0, 2))
    assert sequences(batch.failed) == [1, 2]
    assert "model-2 has no cutoff" in str(batch.report.errors[0])
    assert watching.delivered == []
    watching.cutoffs.record(cutoff(NEW, value=4.0))
    assert watching.score(stream_record(5.0, 1), stream_record(1.0, 2)).failed == []
    assert len(watching.delivered) == 1


def test_a_model_of_another_declaration_fails_the_batch() -> None:
    watching = Watching()
    watching.runtime.variant = NEW
    watching.cutoffs.record(cutoff(NEW, fingerprint="other"))
    batch = watching.score(stream_record(5.0, 1))
    assert "before the table's values changed" in str(batch.report.errors[0])
    assert sequences(batch.failed) == [1]


@pytest.mark.parametrize(
    "error",
    [
        THROTTLED,
        ServiceFault("InvokeEndpoint", "ModelError", "worker died"),
        ConnectionLost("InvokeEndpoint", "ReadTimeoutError", "slow"),
    ],
)
def test_transient_errors_are_tried_again_while_there_is_time(error: ServiceFault) -> None:
    watching = Watching()
    watching.runtime.fails = [error] * 4
    assert watching.score(stream_record(5.0, 1)).failed == []
    assert len(watching.runtime.requests) == 5


def test_when_the_time_is_over_the_batch_comes_again() -> None:
    watching = Watching()
    watching.runtime.fails = [THROTTLED] * 1_000
    batch = watching.score(stream_record(5.0, 1), seconds=30)
    assert sequences(batch.failed) == [1]
    assert batch.report.errors == [THROTTLED]
    assert 30 <= watching.now < 30 + 8


def test_a_missing_endpoint_fails_the_batch_at_once() -> None:
    watching = Watching()
    watching.runtime.fails = [
        NotFound("InvokeEndpoint", "ValidationError", "Endpoint taxi not found")
    ]
    batch = watching.score(stream_record(5.0, 1))
    assert sequences(batch.failed) == [1]
    assert len(watching.runtime.requests) == 1


def test_an_answer_with_too_few_scores_is_not_used() -> None:
    watching = Watching()
    watching.runtime.change_scores = lambda scores: scores[:-1]
    batch = watching.score(stream_record(5.0, 1), stream_record(1.0, 2))
    assert sequences(batch.failed) == [1, 2]
    assert "answered 2 rows with 1 scores" in str(batch.report.errors[0])
    assert watching.delivered == []


def test_rows_of_one_batch_beyond_the_largest_request_go_in_several(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cutwatch.endpoints.invocation.ENDPOINT_REQUEST_MAX_BYTES", 8)
    watching = Watching()
    records = [stream_record(float(n), n, item=str(n)) for n in range(1, 6)]
    assert watching.score(*records).failed == []
    assert watching.runtime.requests == [["1.0", "2.0"], ["3.0", "4.0"], ["5.0"]]


def test_what_was_scored_before_an_error_is_kept_and_the_rest_comes_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cutwatch.endpoints.invocation.ENDPOINT_REQUEST_MAX_BYTES", 8)
    watching = Watching()
    calls = iter([None, None, NotFound("InvokeEndpoint", "ValidationError", "not found")])
    real = watching.runtime.invoke_endpoint

    def invoke(**request: object) -> object:
        error = next(calls)
        if error:
            raise error
        return real(**request)

    watching.runtime.invoke_endpoint = invoke  # type: ignore[method-assign, assignment]
    batch = watching.score(*[stream_record(float(n), n, item=str(n)) for n in range(1, 6)])
    assert sequences(batch.failed) == [5]
    assert len(batch.report.results[0].rows) == 4


def test_another_environments_write_is_met_with_another_try() -> None:
    watching = Watching()
    lost = iter([ConditionFailed("PutObject", "PreconditionFailed", "lost")] * 3)
    real = watching.store.save
    object.__setattr__(watching.store, "save", None)

    def save(state: object, etag: str | None) -> str:
        error = next(lost, None)
        if error:
            raise error
        return real(state, etag)  # type: ignore[arg-type]

    object.__setattr__(watching.store, "save", save)
    assert watching.score(stream_record(5.0, 1)).failed == []
    assert [kind for kind, _ in watching.delivered] == ["began"]


def test_what_is_not_delivered_is_delivered_by_the_next_batch() -> None:
    watching = Watching()
    watching.undeliverable = [ServiceFault("Publish", "InternalError", "no")]
    batch = watching.score(stream_record(5.0, 1))
    assert (batch.failed, len(batch.report.undelivered)) == ([], 1)
    watching.score(stream_record(1.0, 2, item="2"))
    watching.score(stream_record(1.0, 3, item="3"))
    assert [kind for kind, _ in watching.delivered] == ["began"]


def test_an_incident_ends_after_calm_rows_and_silence_ends_one_too() -> None:
    watching = Watching()
    watching.score(stream_record(5.0, 1))
    later = [stream_record(1.0, n, item=str(n), at=NOW + 600 * n) for n in range(2, 9)]
    for record in later:
        watching.score(record)
        watching.score(record)
    assert [kind for kind, _ in watching.delivered] == ["began", "ended"]
    watching.score(stream_record(5.0, 20, at=NOW + 9_000))
    watching.scorer.close_silent(datetime.fromtimestamp(NOW + 9_000 + 3_599, UTC), lambda: True)
    assert len(watching.delivered) == 3
    watching.scorer.close_silent(datetime.fromtimestamp(NOW + 9_000 + 3_600, UTC), lambda: True)
    assert [kind for kind, _ in watching.delivered[3:]] == ["ended"]


def test_every_scored_row_reaches_the_target_with_an_id_that_a_replay_repeats() -> None:
    watching = Watching(keeps_rows=True)
    records = [stream_record(1.0, 1), stream_record(5.0, 2)]
    watching.score(*records)
    first = list(watching.rows)
    watching.score(records[0])
    assert len(first) == 2
    assert watching.rows[2:] == first[:1]


def test_incidents_are_kept_apart_by_key() -> None:
    watching = Watching(watched(key="city"))
    watching.score(
        stream_record(5.0, 1, city={"S": "ber"}),
        stream_record(5.0, 2, item="2", city={"S": "muc"}),
        stream_record(5.0, 3, item="3", city={"S": "ber"}),
    )
    assert [kind for kind, _ in watching.delivered] == ["began", "began"]


def test_a_direction_and_a_minimum_deviation_are_measured_from_the_training_data() -> None:
    below = Watching(watched(direction="below"))
    below.cutoffs.record(cutoff())
    assert not below.score(stream_record(500.0, 1)).report.results[0].changes
    assert below.score(stream_record(3.0, 2)).report.results[0].changes


def test_deletions_are_left_out() -> None:
    removed = stream_record(1.0, 1) | {"eventName": "REMOVE"}
    assert changes(removed) == []


def test_the_incidents_of_a_damaged_state_end_with_the_reason() -> None:
    watching = Watching()
    watching.score(stream_record(5.0, 1))
    [key] = watching.bucket.objects
    state, _ = watching.store.load()
    [opened] = state.incidents.values()
    watching.bucket.write_bytes(key, b"damaged")
    store = TableStateStore(watching.bucket, watching.table.name, lambda: [opened.incident])

    state, _ = store.load()

    assert state.incidents == {}
    assert state.outbox.changes == [IncidentChange("ended", opened.incident, STATE_WAS_DAMAGED)]
    assert [notice.kind for notice in state.outbox.notices] == ["state reset"]
