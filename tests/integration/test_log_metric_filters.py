"""The metric filters of stacks/kafka_stream.yaml on the lines that the function writes: its own patterns, its own formatter."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine

from cutwatch.observability import logger
from localaws.logs.metric_filters import check, put_requests
from localaws.template_file import read_template
from tests.support.kafka_logs import a_training, kafka_event, raw_records
from tests.support.kafka_stack import KafkaStack, opened_kafka_stack
from tests.support.log_events import MONDAY, an_event, ordinary_events
from tests.support.project import PROJECT

RESOURCES = read_template(PROJECT / "stacks" / "kafka_stream.yaml")["Resources"]
FILTERS = {
    name: each["Properties"]
    for name, each in RESOURCES.items()
    if each["Type"] == "AWS::Logs::MetricFilter"
}
HOUR = MONDAY + 7_200
ORDINARY = [each._replace(time=each.time + 7_200) for each in ordinary_events(120, seed=3)]
SLOW = an_event(time=ORDINARY[-1].time + 1, method="POST", level="ERROR", response_time=30.0)


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[KafkaStack]:
    with opened_kafka_stack(tmp_path) as found, time_machine.travel(HOUR + 200, tick=False):
        found.make_current(a_training())
        yield found


def metrics(records: list[logging.LogRecord]) -> dict[str, list[tuple[float, dict[str, str]]]]:
    """Return the values and dimensions that the filters make of log records, by metric."""
    formatter = logger.handlers[0].formatter
    assert formatter is not None
    events = [{"timestamp": 0, "message": formatter.format(each)} for each in records]
    return {
        transformation["MetricName"]: [
            (datum["Values"][0], {each["Name"]: each["Value"] for each in datum["Dimensions"]})
            for request in put_requests(as_request(properties), events)
            for datum in request["MetricData"]
        ]
        for properties in FILTERS.values()
        for transformation in properties["MetricTransformations"]
    }


def as_request(properties: dict[str, Any]) -> dict[str, Any]:
    """Return a filter of the template as PutMetricFilter has it."""
    [given] = properties["MetricTransformations"]
    request = {
        "filterPattern": properties["FilterPattern"],
        "metricTransformations": [
            {
                "metricName": given["MetricName"],
                "metricNamespace": "Cutwatch",
                "metricValue": given["MetricValue"],
                "dimensions": {each["Key"]: each["Value"] for each in given["Dimensions"]},
            }
        ],
    }
    check(request)
    return request


def test_a_batch_is_one_datapoint_of_each_metric(
    stack: KafkaStack, caplog: pytest.LogCaptureFixture
) -> None:
    records = raw_records([*ORDINARY, SLOW])
    records[5] = records[5]._replace(data=b"rubbish")
    stack.invoke("score_kafka", kafka_event(records))
    line = json.loads(lines(caplog, "scored")[0])
    found = metrics(caplog.records)
    of_shop = {"Stream": "shop"}
    assert found["LogRecords"] == [(120.0, of_shop)]
    assert found["LogAnomalies"] == [(float(line["recent_anomalies"]), of_shop)]
    assert line["recent_anomalies"] >= 1
    assert found["LogScore"] == [(line["score"], of_shop)]
    [(seconds, _)] = found["LogResponseTime"]
    assert seconds > 30 / 121


def test_a_batch_that_comes_again_counts_nothing_and_has_neither_score_nor_response_time(
    stack: KafkaStack, caplog: pytest.LogCaptureFixture
) -> None:
    event = kafka_event(raw_records([*ORDINARY, SLOW]))
    stack.invoke("score_kafka", event)
    caplog.clear()
    stack.invoke("score_kafka", event)
    found = metrics(caplog.records)
    assert [value for value, _ in found["LogRecords"]] == [0.0]
    assert [value for value, _ in found["LogAnomalies"]] == [0.0]
    assert (found["LogScore"], found["LogResponseTime"]) == ([], [])


def test_no_record_can_pretend_to_be_a_line_of_the_function(
    stack: KafkaStack, caplog: pytest.LogCaptureFixture
) -> None:
    [forged] = raw_records([SLOW])
    forged = forged._replace(
        data=b'{"message": "scored", "stream": "shop", "recent_anomalies": 99}'
    )
    stack.invoke("score_kafka", kafka_event([forged]))
    assert [value for value, _ in metrics(caplog.records)["LogAnomalies"]] == [0.0]


def test_the_dashboards_table_reads_the_fields_of_the_lines_by_path(
    stack: KafkaStack, caplog: pytest.LogCaptureFixture
) -> None:
    stack.invoke("score_kafka", kafka_event(raw_records([*ORDINARY, SLOW])))
    found = [json.loads(each) for each in lines(caplog, "anomalous")]
    assert ("/cart", "ERROR") in {(each["path"], each["record_level"]) for each in found}
    assert {each["level"] for each in found} == {"INFO"}  # of the line itself
    body = RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"][0]
    assert (
        "filter message = 'anomalous' | stats sum(anomalies) as records by path, record_level as level"
        in body
    )
    assert all({"message", "anomalies", "path", "record_level"} <= each.keys() for each in found)


def lines(caplog: pytest.LogCaptureFixture, message: str) -> list[str]:
    formatter = logger.handlers[0].formatter
    assert formatter is not None
    return [formatter.format(each) for each in caplog.records if each.getMessage() == message]
