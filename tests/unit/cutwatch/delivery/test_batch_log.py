import pytest

from cutwatch.delivery.batch_log import log
from cutwatch.errors import AccessDenied, Throttled
from cutwatch.streams.batch import BatchReport

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
