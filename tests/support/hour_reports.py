"""Summaries of a log's batches for tests of reports."""

from typing import Any

from cutwatch.reports.hour_report import HourReport

HOUR = 1_795_885_200  # 2026-11-28 17:00 UTC


def a_tally(records: int = 100, errors: int = 1, anomalies: int = 2) -> list[float]:
    """Return counts with a mean response time of 0.2 s and a highest score of 3."""
    return [records, errors, anomalies, records, 0.2 * records, 3.0]


def an_anomaly(identity: str = "shop-0:1", **fields: Any) -> dict[str, Any]:
    return {
        "id": identity,
        "time": HOUR + 61.0,
        "key": "",
        "score": 3.0,
        "times_cutoff": 1.5,
        "incident": "shop:1",
        "column": "response_time",
        "level": "INFO",
        "method": "POST",
        "path": "/cart",
        "status": "2xx",
        "response_time": 4.2,
        "reasons": ["`POST /cart` took 4.2 s, usually 0.1–0.3 s at this hour"],
    } | fields


def a_summary(identity: str = "1", **fields: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "id": identity,
        "stream": "shop",
        "hour": HOUR,
        "minutes": {"1": a_tally()},
        "paths": {"/cart": a_tally()},
        "levels": {"INFO": a_tally()},
        "rejected": {"not JSON": 3},
        "late": 1,
        "reasons": {"response_time": 2},
        "anomalies": [an_anomaly()],
    } | fields


def a_report(*summaries: dict[str, Any], hour: int = HOUR) -> HourReport:
    report = HourReport("shop", hour)
    for each in summaries or (a_summary(),):
        report.add(each)
    return report
