from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutwatch import publication
from cutwatch.cutoff import Cutoff
from cutwatch.moments import format_moment
from cutwatch.publication import JudgedWindow, judge, observed_series, summary_datums
from cutwatch.series import Series
from tests.builders import NOON, a_detector, a_series, an_outcome, moments

START = int(NOON.timestamp())
readings = st.lists(st.none() | st.floats(0, 100), min_size=1, max_size=30)


def described(series: Series, lead_in: int = 0, **fields: Any) -> dict[str, Any]:
    """As a dataset of `series` describes itself, its first datapoints being lead-in."""
    return {
        "detector": a_detector(**fields).to_payload(),
        "start": format_moment(series.moment(lead_in)),
        "end": format_moment(series.end),
        "cutoff": Cutoff(10.0, 2.0, 3.0, 16.0).to_payload(),
        "cutoff_method": "training",
        "series_start": format_moment(series.start),
        "values": [None if np.isnan(value) else value for value in series.values.tolist()],
    }


def judged(values: Sequence[float | None], lead_in: int = 0, **fields: Any) -> JudgedWindow:
    """A series judged whose scores are its values."""
    series = a_series(values)
    method = fields.pop("method", "training")
    description = described(series, lead_in, **fields) | {"cutoff_method": method}
    present = ~series.missing
    return judge(description, series, series.epochs[present], series.values[present])


def test_scores_above_the_frozen_cutoff_are_anomalies() -> None:
    window = judged([15.9, 16.0, 16.1])

    assert window.anomalies.tolist() == [0, 0, 1]
    assert window.scores.tolist() == [15.9, 16.0, 16.1]
    assert window.epochs.tolist() == [START, START + 300, START + 600]


def test_the_lead_in_is_scored_again_and_not_published_again() -> None:
    window = judged([99.0, 99.0, 1.0], lead_in=2)

    assert window.epochs.tolist() == [START + 600]
    assert window.anomalies.tolist() == [0]


def test_the_original_rule_takes_mean_and_deviation_from_the_window_itself() -> None:
    week = [1.0] * 99 + [5.0]

    assert judged(week).anomalies.sum() == 0
    assert judged(week, method="window").anomalies.tolist() == [0] * 99 + [1]


def test_the_original_rule_leaves_the_lead_in_out_of_mean_and_deviation() -> None:
    week = [1_000.0] + [1.0] * 99 + [5.0]
    assert judged(week, lead_in=1, method="window").anomalies.sum() == 1


def test_gaps_are_nothing_unless_silence_is_the_anomaly() -> None:
    assert judged([1.0, None, 3.0]).epochs.tolist() == [START, START + 600]


def test_silence_is_an_anomaly_without_a_score_where_the_detector_says_so() -> None:
    window = judged([1.0, None, 3.0], missing_data="anomalous")

    assert window.epochs.tolist() == [START, START + 300, START + 600]
    assert window.anomalies.tolist() == [0, 1, 0]
    assert np.isnan(window.scores).tolist() == [False, True, False]


def test_silence_in_the_lead_in_was_published_before() -> None:
    assert judged([None, None, 1.0], lead_in=2, missing_data="anomalous").anomalies.tolist() == [0]


@given(readings, st.sampled_from(["ignore", "anomalous"]))
def test_every_datapoint_is_judged_once_and_in_order(
    values: list[float | None], policy: str
) -> None:
    window = judged(values, missing_data=policy)

    assert (np.diff(window.epochs) > 0).all()
    reported = sum(value is not None for value in values)
    assert len(window.epochs) == (len(values) if policy == "anomalous" else reported)
    assert len(window.epochs) == len(window.anomalies) == len(window.scores)


@given(readings)
def test_a_series_is_read_back_from_its_description(values: list[float | None]) -> None:
    series = a_series(values)

    read = observed_series(described(series))

    assert (read.start, read.period) == (series.start, series.period)
    np.testing.assert_array_equal(read.values, series.values)


def test_the_highest_score_leaves_silence_out() -> None:
    assert judged([1.0, None, 3.0], missing_data="anomalous").max_score == 3.0
    assert judged([None], missing_data="anomalous").max_score is None


def anomalies(values: Sequence[float | None], **fields: Any) -> list[dict[str, Any]]:
    """The anomalies of a series whose scores are its values."""
    found = publication._anomalies(a_series(values), judged(values, **fields))
    return [asdict(anomaly) for anomaly in found]


def test_neighbouring_anomalous_datapoints_are_one_anomaly_with_a_peak() -> None:
    noon, five_past, ten_past, *_ = map(format_moment, moments(3))

    assert anomalies([20.0, 30.0, 25.0, 1.0]) == [
        {
            "start": noon,
            "end": ten_past,
            "peak_time": five_past,
            "peak_score": 30.0,
            "peak_value": 30.0,
            "datapoints": 3,
        }
    ]


def test_one_quiet_datapoint_ends_an_anomaly_and_the_highest_comes_first() -> None:
    assert [each["peak_score"] for each in anomalies([20.0, 1.0, 30.0, None, 25.0])] == [30, 25, 20]


def test_a_stretch_of_silence_is_one_anomaly_without_a_score_and_comes_first() -> None:
    [silence, spike] = anomalies([30.0, 1.0, None, None], missing_data="anomalous")

    assert (silence["datapoints"], silence["peak_score"], silence["peak_value"]) == (2, None, None)
    assert spike["peak_score"] == 30.0


@pytest.mark.parametrize("score", [None, 4.2])
def test_the_summary_is_stamped_now_and_has_a_score_only_if_there_is_one(
    score: float | None,
) -> None:
    datums = summary_datums(an_outcome(anomalous_datapoints=3, max_anomaly_score=score), NOON)

    values = {each["MetricName"]: each["Value"] for each in datums}
    assert values == {"AnomalousDatapoints": 3} | ({"MaxAnomalyScore": score} if score else {})
    assert {each["Timestamp"] for each in datums} == {NOON}
    assert all(each["Dimensions"] == [{"Name": "Detector", "Value": "orders"}] for each in datums)
