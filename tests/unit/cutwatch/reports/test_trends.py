import pytest

from cutwatch.reports.trends import trends
from tests.support.hour_reports import a_report, a_summary


def with_records(records: int, errors: int = 0) -> dict[str, object]:
    return a_summary(minutes={"1": [records, errors, 1, 10, 2.0, 1.0]})


def test_an_hour_is_compared_with_the_median_of_the_days_before() -> None:
    before = [a_report(with_records(each)) for each in (100, 110, 300)]
    [records, errors, anomalies, seconds] = trends(a_report(with_records(220, errors=11)), before)
    assert (records.low, records.middle, records.high) == (100, 110, 300)
    assert records.change == pytest.approx(1.0)
    assert errors.value == 0.05
    assert errors.change is None
    assert (anomalies.change, seconds.change) == (0, 0)


def test_without_days_before_there_is_no_trend() -> None:
    assert {each.middle for each in trends(a_report(), [])} == {None}
    assert {each.change for each in trends(a_report(), [])} == {None}


def test_an_hour_without_response_times_has_no_trend_of_them() -> None:
    silent = a_report(a_summary(minutes={"1": [5, 0, 0, 0, 0.0, 1.0]}))
    assert trends(silent, [a_report()])[3].change is None
