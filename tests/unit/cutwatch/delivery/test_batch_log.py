import pytest

from cutwatch.delivery.batch_log import log
from cutwatch.errors import AccessDenied, Throttled
from cutwatch.streams.batch import BatchReport
from cutwatch.streams.detection import ScoredRow
from cutwatch.streams.scoring import BatchResult

DENIED = AccessDenied("PutObject", "AccessDenied", "no permission")


def test_a_batch_that_cannot_be_committed_has_one_line_with_the_most_frequent_reason(
    caplog: pytest.LogCaptureFixture,
) -> None:
    throttled = Throttled("GetObject", "SlowDown", "reduce your request rate")
    log("sensors", BatchReport(errors=[throttled, DENIED, DENIED]))

    [line] = [record for record in caplog.records if record.getMessage() == "not committed"]
    assert vars(line) | {
        "reason": "AccessDenied: PutObject: no permission (AccessDenied)",
        "buckets": 2,
        "reasons": 2,
    } == vars(line)


def test_anomalies_since_a_time_are_recent(caplog: pytest.LogCaptureFixture) -> None:
    rows = [
        ScoredRow("a", time, (1.0,), ("0", 1), 2.5, 4.0, learning=False, incident="sensors:1")
        for time in (99.0, 100.0, 101.0)
    ]
    with caplog.at_level("INFO"):
        log("sensors", BatchReport([BatchResult(read=3, rows=rows)]), since=100.0)

    [line] = [record for record in caplog.records if record.getMessage() == "scored"]
    assert vars(line) | {"anomalies": 3, "recent_anomalies": 2} == vars(line)
