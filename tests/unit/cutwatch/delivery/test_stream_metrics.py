import json
from typing import Any

import pytest

from cutwatch.delivery.stream_metrics import emit, emit_ended, emit_table
from cutwatch.detectors.stream_window import StreamWindow
from cutwatch.errors import AccessDenied, ConditionFailed, CutwatchError
from cutwatch.streams.batch import BatchReport
from cutwatch.streams.detection import ScoredRow
from cutwatch.streams.scoring import BatchResult
from tests.support.streams import START, a_stream

DENIED = AccessDenied("PutObject", "AccessDenied", "no permission")
FASTER = ConditionFailed("PutObject", "PreconditionFailed", "written meanwhile")


def written(capsys: pytest.CaptureFixture[str], *errors: CutwatchError) -> dict[str, Any]:
    emit("Cutwatch", a_stream(), BatchReport(errors=[*errors]))
    metrics: dict[str, Any] = json.loads(capsys.readouterr().out)
    return metrics


@pytest.mark.parametrize(
    ("errors", "number"),
    [([], 0), ([FASTER], 0), ([DENIED], 1), ([FASTER, DENIED, DENIED], 1)],
    ids=["committed", "a lost race", "denied", "both"],
)
def test_a_batch_that_cannot_be_committed_is_counted_but_not_one_that_lost_a_race(
    capsys: pytest.CaptureFixture[str], errors: list[CutwatchError], number: int
) -> None:
    assert written(capsys, *errors)["BatchesNotCommitted"] == [number]


def test_keys_without_the_forest_that_they_should_begin_with_are_counted_only_if_there_are_any(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert "KeysWithoutColdStart" not in written(capsys)
    report = BatchReport([BatchResult(unaided=2), BatchResult(unaided=1)])
    emit("Cutwatch", a_stream(), report)
    assert json.loads(capsys.readouterr().out)["KeysWithoutColdStart"] == [3]


def test_a_table_has_no_such_metric(capsys: pytest.CaptureFixture[str]) -> None:
    emit_table("Cutwatch", "orders", BatchReport(errors=[DENIED]))
    assert "BatchesNotCommitted" not in json.loads(capsys.readouterr().out)


def test_the_end_of_a_replaced_configuration_sets_the_metrics_of_incidents_to_zero(
    capsys: pytest.CaptureFixture[str],
) -> None:
    emit_ended("Cutwatch", "Stream", "sensors")
    metrics = json.loads(capsys.readouterr().out)
    assert (metrics["Stream"], metrics["Anomaly"], metrics["AnomalyScore"]) == ("sensors", [0], [0])


HOURS = StreamWindow("tumbling", 3_600, ("count",))


@pytest.mark.parametrize(
    ("window", "age", "flag"),
    [
        (StreamWindow(), 900, 1),
        (StreamWindow(), 1_000, 0),
        (HOURS, 3_700, 1),
        (HOURS, 5_000, 0),
        (StreamWindow("count", 3_600, ("count",)), 1_000, 0),
        (StreamWindow(allowed_lateness=86_400), 80_000, 1),
    ],
    ids=["new", "old", "an hour that just closed", "an old hour", "records by count", "late devices"],
)  # fmt: skip
def test_an_incident_in_old_records_does_not_ring(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    window: StreamWindow,
    age: float,
    flag: int,
) -> None:
    monkeypatch.setattr("cutwatch.delivery.news.time.time", lambda: START + age)
    row = ScoredRow("a", START, (1.0,), ("0", 1), 2.5, 4.0, learning=False, incident="sensors:1")
    emit("Cutwatch", a_stream(window=window), BatchReport([BatchResult(read=1, rows=[row])]))
    metrics = json.loads(capsys.readouterr().out)
    assert (metrics["Anomaly"], metrics["AnomalyScore"]) == ([flag], [2.5])
