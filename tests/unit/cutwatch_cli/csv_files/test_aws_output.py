import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.metric_files import (
    CONSOLE,
    TIMES,
    VALUES,
    assert_the_series,
    mistake,
    rows,
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "metric.csv"


def statistics(**more: Any) -> dict[str, Any]:
    shuffled = sorted(zip(TIMES, VALUES, strict=True), key=lambda each: each[1])
    datapoints = [
        {"Timestamp": time.isoformat(), "Average": value, "Unit": "Percent", **more}
        for time, value in shuffled
    ]
    return {"Label": "CPUUtilization", "Datapoints": datapoints}


def metric_data(*identifiers: str, label: str = "cpu") -> dict[str, Any]:
    result = {
        "Label": label,
        "Timestamps": [time.isoformat() for time in TIMES],
        "Values": VALUES,
        "StatusCode": "Complete",
    }
    return {"MetricDataResults": [{"Id": each, **result} for each in identifiers], "Messages": []}


def test_an_incomplete_export_of_the_console_is_noted(file: Path) -> None:
    text = rows("%Y/%m/%d %H:%M:%S", CONSOLE.rstrip()).replace("Complete", "PartialData")
    assert any("marked the data as PartialData" in note for note in assert_the_series(file, text))


def test_json_of_get_metric_statistics_is_read(file: Path) -> None:
    notes = assert_the_series(file, json.dumps(statistics()))
    assert "Rows were not in chronological order and were sorted." in notes


def test_of_several_statistics_one_is_to_be_chosen(file: Path) -> None:
    text = json.dumps(statistics(Maximum=99.0, ExtendedStatistics={"p99": 98.5}))

    assert mistake(file, text) == (
        ": 'Average', 'Maximum', 'p99' may each be the column of values; choose one with --value"
    )
    assert_the_series(file, text, value="average")


def test_json_of_get_metric_data_is_read(file: Path) -> None:
    assert_the_series(file, json.dumps(metric_data("m1")))


def test_of_several_results_one_is_to_be_chosen(file: Path) -> None:
    text = json.dumps(metric_data("m1", "m2"))

    assert mistake(file, text) == (
        ", column series: labels 2 series: 'cpu m1', 'cpu m2'; choose one with --series"
    )
    assert_the_series(file, text, series=("cpu m2",))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", ": is not JSON: "),
        ("[]", ": is JSON without Datapoints or MetricDataResults; expected the output of `aws"),
        ('{"Datapoints": []}', ": contains no datapoints"),
        ('{"Datapoints": [7]}', ", datapoint 1: '7'; expected the output of"),
        (
            '{"MetricDataResults": [{"Timestamps": [], "Values": [1]}]}',
            ", result 1: has 0 Timestamps but 1 Values",
        ),
        ('{"MetricDataResults": [{"Id": "m1"}]}', ", result 1: has no Timestamps and Values"),
        (
            '{"Datapoints": [{"Timestamp": "2026-03-01T00:00Z", "Average": "high"}]}',
            ", datapoint 1, column average: 'high' is neither a finite number",
        ),
    ],
)
def test_json_of_another_shape_is_refused(text: str, told: str, file: Path) -> None:
    assert mistake(file, text).startswith(told)
