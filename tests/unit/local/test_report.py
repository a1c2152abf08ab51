import math
import struct
from datetime import UTC, datetime, timedelta
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.table import Table

from local.report import DetectorReport, draw, events, found, planted_table, table
from local.report.detector_report import CALM_DATAPOINTS, stretches

START = datetime(2026, 3, 1, tzinfo=UTC)
PERIOD = timedelta(minutes=5)


def report_of(anomalous: list[int], count: int = 200, **other: Any) -> DetectorReport:
    fields: dict[str, Any] = {
        "values": [1000.0 + position for position in range(count)],
        "scores": [4.0 if position in anomalous else 1.0 for position in range(count)],
        "cutoffs": [(START, 2.0)],
        "trained_until": [START],
    }
    return DetectorReport(
        detector="checkout",
        title="Shop Orders, Sum, 5 min",
        unit="Orders",
        period_seconds=300,
        timestamps=[START + position * PERIOD for position in range(count)],
        anomalies=[int(position in anomalous) for position in range(count)],
        **{**fields, **other},
    )


def text_of(shown: Table) -> str:
    console = Console(width=120, file=StringIO())
    with console.capture() as output:
        console.print(shown)
    return output.get()


def test_no_anomalies_are_no_events() -> None:
    assert events(report_of([])) == []


def test_anomalies_near_each_other_are_one_event() -> None:
    [event] = events(report_of([10, 11, 15]))

    assert (event.number, event.datapoints) == (1, 3)
    assert (event.start, event.end) == (START + 10 * PERIOD, START + 16 * PERIOD)


def test_a_calm_stretch_parts_two_events() -> None:
    calm = CALM_DATAPOINTS

    assert len(events(report_of([10, 11 + calm]))) == 1
    assert [event.number for event in events(report_of([10, 12 + calm]))] == [1, 2]


def test_missing_datapoints_do_not_part_an_event() -> None:
    values = [math.nan if 10 < position < 60 else 5.0 for position in range(200)]

    assert len(events(report_of([10, 60], values=values))) == 1


def test_a_silence_of_more_than_a_day_parts_two_events() -> None:
    values = [math.nan if 10 < position < 400 else 5.0 for position in range(500)]

    assert len(events(report_of([10, 400], count=500, values=values))) == 2


def test_an_event_is_told_by_its_peak_and_the_cutoff_of_that_moment() -> None:
    scores = [1.0] * 200
    scores[10:13] = [3.0, 9.0, 4.0]
    cutoffs = [(START, 2.0), (START + 11 * PERIOD, 3.0), (START + 100 * PERIOD, 5.0)]

    [event] = events(report_of([10, 11, 12], scores=scores, cutoffs=cutoffs))

    assert (event.peak_score, event.cutoff, event.severity, event.value) == (9.0, 3.0, 3.0, 1011.0)


def test_an_event_without_score_or_cutoff_is_still_an_event() -> None:
    report = report_of([10], scores=[math.nan] * 200, cutoffs=[])

    [event] = events(report)

    assert math.isnan(event.severity)
    assert "–" in text_of(table(report))


@given(anomalous=st.sets(st.integers(0, 199)))
def test_events_hold_every_anomaly_once_and_in_order(anomalous: set[int]) -> None:
    told = events(report_of(sorted(anomalous)))

    assert sum(event.datapoints for event in told) == len(anomalous)
    assert all(earlier.end < later.start for earlier, later in pairwise(told))


@given(flags=st.lists(st.booleans()))
def test_stretches_cover_exactly_the_true_flags(flags: list[bool]) -> None:
    covered = [
        place for first, end in stretches(np.array(flags, bool)) for place in range(first, end)
    ]

    assert covered == [place for place, flag in enumerate(flags) if flag]


def test_the_table_tells_the_events_in_the_local_time() -> None:
    shown = text_of(table(report_of([10, 11, 12], time_zone="Asia/Tokyo")))

    assert "1 event, 3 anomalous datapoints (Asia/Tokyo)" in shown
    assert "2026-03-01 09:50" in shown
    assert shown.splitlines()[2].split()[-5:] == ["15", "min", "4.000", "2.00", "1,010"]


def test_the_table_leaves_out_the_lesser_of_many_events() -> None:
    scores = [1.0] * 200
    scores[10], scores[60], scores[110] = 3.0, 9.0, 6.0

    shown = text_of(table(report_of([10, 60, 110], scores=scores), most=2))

    assert [line.split()[0] for line in shown.splitlines()[2:4]] == ["2", "3"]
    assert "1 lesser event not shown" in shown


def test_a_planted_anomaly_is_found_by_a_hit_in_it_or_just_around_it() -> None:
    planted = [
        (START + 20 * PERIOD, START + 30 * PERIOD, "spike"),
        (START + 90 * PERIOD, START + 95 * PERIOD, "dip"),
        (START + 150 * PERIOD, START + 160 * PERIOD, "outage"),
    ]

    outcomes = found(report_of([18, 23, 24, 97, 180], planted=planted))

    assert [outcome.delay for outcome in outcomes] == [3 * PERIOD, 7 * PERIOD, None]


def test_the_planted_table_counts_what_was_found_and_what_was_not_planted() -> None:
    planted = [
        (START + 20 * PERIOD, START + 30 * PERIOD, "spike"),
        (START + 150 * PERIOD, START + 160 * PERIOD, "slow [leak]"),
    ]

    shown = text_of(planted_table(report_of([19, 80], planted=planted)))

    assert "1 of 2 planted anomalies found, 1 other event" in shown
    assert "5 min early" in shown
    assert "slow [leak]" in shown


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="checkout: a report needs columns of one length"):
        report_of([], scores=[1.0])


PICTURES: dict[str, dict[str, Any]] = {
    "plain": {},
    "nothing reported": {"values": [math.nan] * 200},
    "nothing scored": {"scores": [math.nan] * 200, "cutoffs": [], "trained_until": []},
    "constant": {"values": [0.0] * 200},
    "gaps": {"values": [math.nan if position % 3 else 1e9 for position in range(200)]},
    "planted": {"planted": [(START, START + PERIOD, "spike")]},
    "dollars": {"time_zone": "America/New_York"},
}


@pytest.mark.parametrize("fields", PICTURES.values(), ids=PICTURES)
def test_a_picture_is_drawn_whatever_is_known(fields: dict[str, Any], tmp_path: Path) -> None:
    picture = tmp_path / "new" / "picture.png"

    draw(report_of([10, 100], **fields), picture)

    assert struct.unpack(">II", picture.read_bytes()[16:24]) == (1600, 800)


def test_a_picture_of_one_datapoint_is_drawn(tmp_path: Path) -> None:
    draw(report_of([], count=1), tmp_path / "picture.png")

    assert (tmp_path / "picture.png").exists()
