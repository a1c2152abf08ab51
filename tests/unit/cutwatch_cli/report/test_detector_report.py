import math
from datetime import timedelta
from io import StringIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.table import Table

from cutwatch_cli.report import found, planted_table, table
from cutwatch_cli.report.detector_report import stretches
from tests.support.sample_reports import PERIOD, START, event, report_of


def text_of(shown: Table, width: int = 80) -> str:
    console = Console(width=width, file=StringIO())
    with console.capture() as output:
        console.print(shown)
    return output.get()


def test_the_worst_event_is_a_silence_or_else_the_most_severe() -> None:
    calm, loud, silent = event(1, 2, 1.2), event(10, 12, 5.0), event(20, 30, None)

    assert report_of().worst is None
    assert report_of(events=[calm, loud]).worst is loud
    assert report_of(events=[calm, silent, loud]).worst is silent


def test_an_event_spans_its_last_datapoint() -> None:
    assert (event(10, 12).begins, event(10, 12).ends) == (START + 10 * PERIOD, START + 13 * PERIOD)


def test_a_cutoff_is_valid_from_its_moment_on() -> None:
    report = report_of(cutoffs=[(START + 10 * PERIOD, 2.0), (START + 20 * PERIOD, 3.0)])

    assert math.isnan(report.cutoff_at(START))
    assert report.cutoff_at(START + 19 * PERIOD) == 2.0
    assert report.cutoff_at(START + 20 * PERIOD) == 3.0


@given(flags=st.lists(st.booleans()))
def test_stretches_cover_exactly_the_true_flags(flags: list[bool]) -> None:
    covered = [
        place for first, end in stretches(np.array(flags, bool)) for place in range(first, end)
    ]

    assert covered == [place for place, flag in enumerate(flags) if flag]


def test_the_table_tells_the_events_in_the_local_time_within_eighty_columns() -> None:
    report = report_of([10, 11, 12], events=[event(10, 12)], time_zone="Asia/Tokyo")

    shown = text_of(table(report))

    assert "1 event, 3 anomalous datapoints (Asia/Tokyo)" in shown
    assert "2026-03-01 09:50" in shown
    row = " ".join(" ".join(shown.splitlines()[2:]).split())
    assert row.endswith("15 min high 3.5 1,234 1,000 (950 to 1,060)")
    assert max(map(len, shown.splitlines())) <= 80


def test_the_table_has_the_expected_range_beside_the_value_and_fits_a_line_of_a_hundred() -> None:
    milliseconds = event(10, 12, value=129614.0, expected=84696.0, unit="Milliseconds")

    shown = text_of(table(report_of([10, 11, 12], events=[milliseconds])), width=100)

    assert "129,614 ms  84,696 ms (950 ms to 1,060 ms)" in shown


def test_the_table_tells_of_a_silence_what_was_expected() -> None:
    shown = text_of(table(report_of(events=[event(10, 60, None)])))

    assert shown.splitlines()[2].split()[-5:] == ["high", "–", "no", "data", "data"]


def test_the_table_leaves_out_the_lesser_of_many_events() -> None:
    events = [event(10, 10, 3.0), event(60, 60, 9.0), event(110, 110, 6.0)]

    shown = text_of(table(report_of(events=events), most=2))

    assert [line.split()[0] for line in shown.splitlines()[2:4]] == ["2", "3"]
    assert "1 less severe event not shown" in shown


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
    events = [event(19, 19), event(80, 80)]

    shown = text_of(planted_table(report_of([19, 80], planted=planted, events=events)))

    assert "1 of 2 planted anomalies found, 1 other event" in shown
    assert "5 min early" in shown
    assert "slow [leak]" in shown


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="checkout: a report needs columns of one length"):
        report_of(scores=[1.0])


def test_a_link_for_some_events_only_is_refused() -> None:
    with pytest.raises(ValueError, match="checkout: a report needs a link for each event"):
        report_of(events=[event(1, 2), event(5, 6)], links=["https://example.com"])


def test_a_report_ends_a_period_after_its_last_datapoint() -> None:
    assert report_of(count=3).end == START + timedelta(minutes=15)
