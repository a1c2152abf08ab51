import json
from copy import deepcopy
from typing import Any

import pytest

from cutwatch.errors import MalformedObject
from cutwatch.reports.hour_report import MOST_LISTED, HourReport, by_hour, mean_seconds, report_key
from cutwatch.streams.log_summary import Tally
from tests.support.hour_reports import HOUR, a_report, a_summary, an_anomaly


def test_summaries_add_up() -> None:
    report = a_report(a_summary("1"), a_summary("2", minutes={"2": [50, 0, 0, 50, 30.0, 5.0]}))
    assert report.total == Tally(150, 1, 2, 150, 50.0, 5.0)
    assert report.rejected == {"not JSON": 6}
    assert report.late == 2
    assert report.reasons == {"response_time": 4}


def test_a_summary_counts_once_however_often_it_comes() -> None:
    report = a_report()
    before = deepcopy(report.to_payload())
    assert report.add(a_summary()) is False
    assert report.to_payload() == before


def test_a_report_survives_json_exactly() -> None:
    report = a_report()
    restored = HourReport.from_payload(json.loads(json.dumps(report.to_payload())))
    assert restored == report
    assert restored.add(a_summary()) is False


def test_the_most_severe_anomalies_of_each_reason_are_listed() -> None:
    slow = [an_anomaly(f"a:{n}", times_cutoff=1 + n / 100) for n in range(100)]
    rare = an_anomaly("b:1", times_cutoff=1.0, column="path")
    report = a_report(a_summary(anomalies=[*slow, rare]))
    listed = [each["id"] for each in report.listed()]
    assert len(listed) == MOST_LISTED + 1
    assert listed[0] == "a:99"
    assert listed[-1] == "b:1"


def test_the_order_of_summaries_does_not_matter() -> None:
    given = [a_summary(str(n), anomalies=[an_anomaly(f"a:{n}")]) for n in range(60)]
    assert a_report(*given).to_payload() == a_report(*reversed(given)).to_payload()


def test_a_report_is_named_by_its_hour_in_utc() -> None:
    assert report_key("shop", HOUR) == "streams/shop/reports/2026/11/28/17.json"
    assert report_key("shop", HOUR, "html").endswith("/17.html")


def test_summaries_are_divided_by_hour() -> None:
    divided = by_hour([a_summary("1"), a_summary("2", hour=HOUR + 3_600), a_summary("3")])
    assert {hour: [each["id"] for each in found] for hour, found in divided.items()} == {
        HOUR: ["1", "3"],
        HOUR + 3_600: ["2"],
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [("minutes", {"1": {"bytes": 1}}), ("hour", 7), ("ids", None), ("anomalies", [{}])],
)
def test_a_damaged_report_is_refused(field: str, value: Any) -> None:
    with pytest.raises(MalformedObject, match="not a report of an hour"):
        HourReport.from_payload(a_report().to_payload() | {field: value})


def test_without_response_times_there_is_no_mean() -> None:
    assert mean_seconds(Tally(records=5)) is None
    assert mean_seconds(Tally(records=5, timed=4, seconds=2.0)) == 0.5
