"""The demo of a Kafka topic up to its second planted fault: stacks/kafka_stream.yaml on the local AWS, from Apache Kafka to the mails."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from cutwatch_cli.access_logs.demo_log import BY_RECORD, START, ShopLog, shop_log
from cutwatch_cli.access_logs.kafka_application import KafkaApplication
from cutwatch_cli.access_logs.kafka_demo import STREAMS, DemoStage, deployed
from cutwatch_cli.access_logs.kafka_outcome import KafkaDemo
from localaws.kafka.broker import KafkaBroker

# Minutes of the log: after two planted faults, all faults of delivery, and the time in which the alarm ends.
MINUTES = 100
UNREADABLE = 2


@pytest.fixture(scope="module")
def stage(broker: KafkaBroker) -> Iterator[DemoStage]:
    whole = shop_log(seed=7, history=timedelta(days=4))
    log = ShopLog(whole.history, whole.live[:MINUTES], whole.planted[:2])
    with deployed(log, broker, lambda *_: None) as stage:
        stage.run(lambda *_: None)
        yield stage


@pytest.fixture(scope="module")
def demo(stage: DemoStage) -> KafkaDemo:
    return stage.outcome()


@pytest.fixture(scope="module")
def application(stage: DemoStage) -> KafkaApplication:
    return stage.application


def total(application: KafkaApplication, metric: str) -> float:
    """Return the sum of a metric of the stream of records."""
    name = {"Name": "Stream", "Value": BY_RECORD.name}
    found = {"Namespace": "Cutwatch", "MetricName": metric, "Dimensions": [name]}
    [answer] = application.client("cloudwatch").get_metric_data(
        MetricDataQueries=[{"Id": "m", "MetricStat": {"Metric": found, "Period": 60, "Stat": "Sum"}}],
        StartTime=START - timedelta(hours=1),
        EndTime=application.aws.clock.now(),
    )["MetricDataResults"]  # fmt: skip
    return float(sum(answer["Values"]))


@pytest.mark.slow
def test_every_record_is_scored_and_reported_once_through_crash_rebalance_and_a_killed_broker(
    demo: KafkaDemo,
) -> None:
    assert len(demo.faults) == 4
    assert (demo.lost, demo.doubled, demo.total("late")) == (0, 0, 0)
    assert [each.rejected for each in demo.counts.values()] == [UNREADABLE] * len(STREAMS)
    assert [each.reported for each in demo.counts.values()] == [demo.sent] * len(STREAMS)


def test_the_planted_faults_are_found_and_nothing_else_is_severe(demo: KafkaDemo) -> None:
    assert [demo.planted[number].kind for number in demo.found] == ["slow path", "error burst"]
    assert [each.incident.severity_word for each in demo.others if each.incident.severity >= 1.5] == []  # fmt: skip


def test_the_alarm_is_raised_and_mailed_and_ends_and_no_other_is(
    demo: KafkaDemo, application: KafkaApplication
) -> None:
    assert demo.alarms == demo.alarm_mails > 0
    assert application.alarm_states(BY_RECORD, "anomalies")[-1] == "OK"
    for stream in STREAMS:
        for alarm in ("functions fail", "not committed", "records wait", "records lost"):
            assert "ALARM" not in application.alarm_states(stream, alarm)


def test_the_metric_filters_count_what_the_functions_logged(
    demo: KafkaDemo, application: KafkaApplication, stage: DemoStage
) -> None:
    reports = [report["total"] for _, report in application.reports(BY_RECORD)]
    # The function that was killed had not logged its batch.
    unlogged = demo.sent - UNREADABLE - total(application, "LogRecords")
    assert 0 < unlogged <= max(len(each) for each in stage.log.live)
    assert total(application, "LogAnomalies") == sum(each["anomalies"] for each in reports) > 0


def test_each_hour_has_a_report_of_each_stream_with_reasons(
    demo: KafkaDemo, application: KafkaApplication
) -> None:
    hours = [datetime.fromisoformat(report["hour"]) for _, report in application.reports(BY_RECORD)]  # fmt: skip
    assert hours == [START, START + timedelta(hours=1)]
    assert demo.reports >= len(hours) * len(STREAMS)
    reasons = [
        reason
        for _, report in application.reports(BY_RECORD)
        for each in report["anomalies"]
        for reason in each["reasons"]
    ]
    assert any("/cart` took" in each and "usually" in each for each in reasons)
    assert b"/cart" in demo.page


def test_each_incident_is_mailed_with_its_reason(demo: KafkaDemo, stage: DemoStage) -> None:
    assert len(demo.latencies) == len(demo.incidents)
    subjects = [subject for _, subject, _ in stage.mails if subject.startswith("Cutwatch ")]
    assert any("/cart" in each for each in subjects), subjects


def test_no_function_was_refused_anything(application: KafkaApplication) -> None:
    for stack in application.stacks.values():
        events = application.client("logs").filter_log_events(
            logGroupName=stack.outputs["FunctionsLogGroupName"], filterPattern="ERROR"
        )["events"]
        # The line of the anomalies of a path has the level of their records.
        lines = [each["message"] for each in events]
        assert [each for each in lines if '"record_level":"ERROR"' not in each] == []


def test_the_payload_has_what_programs_ask_for(demo: KafkaDemo) -> None:
    payload = json.loads(json.dumps(demo.to_payload()))
    assert payload.keys() >= {
        *("planted", "found", "other_events", "sent", "scored", "lost", "doubled", "alarm", "reports"),
        *("p50_seconds", "p95_seconds", "records_per_second"),
    }  # fmt: skip
    assert (payload["planted"], payload["found"]) == (2, 2)
    assert payload["alarm"] is True
