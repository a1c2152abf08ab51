"""Reports that tests make: two hundred datapoints at five minutes with anomalies where they are wanted."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.timestamps import format_timestamp
from cutwatch_cli.report import DetectorReport, Page
from cutwatch_cli.report.detector_report import Expected

START = datetime(2026, 3, 1, tzinfo=UTC)
PERIOD = timedelta(minutes=5)
MADE_AT = datetime(2026, 3, 2, tzinfo=UTC)
HOSTILE = "</script><script>alert('<b>&amp;\"')</script><!--"


def expected(
    count: int = 200, value: float = 1000.0, low: float = -50.0, high: float = 60.0
) -> Expected:
    """Return the same at every datapoint, with a range from `low` to `high` around it."""
    return Expected(*(np.full(count, value + edge) for edge in (0.0, low, high)))


def event(first: int, last: int, severity: float | None = 3.5, **facts: Any) -> AnomalyEvent:
    """From one position to another, both included."""
    moment = format_timestamp(START + first * PERIOD)
    usual = {
        "value": 1234.0,
        "expected": 1000.0,
        "expected_low": 950.0,
        "expected_high": 1060.0,
        "driver": "level",
    }
    silence = {"value": None, "expected": None, "driver": None}
    return AnomalyEvent(
        id=f"checkout:{moment}",
        start=moment,
        end=format_timestamp(START + last * PERIOD),
        peak_time=moment,
        datapoints=last - first + 1,
        severity=severity,
        score=severity,
        period_seconds=300,
        **{**(silence if severity is None else usual), **facts},
    )


def report_of(
    anomalous: Sequence[int] = (), count: int = 200, name: str = "checkout", **other: Any
) -> DetectorReport:
    fields: dict[str, Any] = {
        "title": "Shop Orders, Sum",
        "values": [1000.0 + position for position in range(count)],
        "scores": [4.0 if position in anomalous else 1.0 for position in range(count)],
        "cutoffs": [(START, 2.0)],
        "trained_until": [START + 10 * PERIOD],
        "expected": expected(count),
        "period_seconds": 300,
    }
    return DetectorReport(
        detector=name,
        start=START,
        anomalies=[int(position in anomalous) for position in range(count)],
        **{**fields, **other},
    )


def page_of(*reports: DetectorReport, **other: Any) -> Page:
    fields: dict[str, Any] = {"title": "A report", "subtitle": "of a test", "made_at": MADE_AT}
    return Page(reports=reports, **{**fields, **other})


def nine_weeks(number: int) -> DetectorReport:
    """As long as CloudWatch keeps datapoints at five minutes: 18,144, with a spike of one of them each week."""
    count = 9 * 7 * 288
    random = np.random.default_rng(number)
    rhythm = np.sin(2 * math.pi * np.arange(count) / 288)
    values = 1000 * (2 + rhythm) + random.normal(0, 30, count)
    scores = random.gamma(2.0, 0.4, count)
    spikes = [week * 2016 + 1000 + number for week in range(9)]
    values[spikes], scores[spikes] = 9000.0, 8.0
    return report_of(
        spikes,
        count,
        name=f"detector-{number:02}",
        values=values,
        scores=scores,
        events=[event(spike, spike, 4.0 - number / 100) for spike in spikes],
    )
