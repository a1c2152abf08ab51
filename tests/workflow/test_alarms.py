"""The template's alarms on the local AWS: what raises them, and who is told."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from cutwatch.detectors.detector import Detector
from cutwatch.registry.run import run_id
from tests.support.fleet import (
    FIRST_TRAINING,
    Fleet,
    detector,
    usual,
    with_spike,
)
from tests.support.shared_fleets import shared_fleet

CHECKOUT = detector("checkout", engine="lambda", history_days=2)
ORDERS = detector("orders", engine="lambda", history_days=2)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
TRANSFORM = FIRST_TRAINING + 3 * DAY
SPIKE = TRANSFORM - 2 * DAY
INCIDENTS = "arn:aws:sns:us-east-1:123456789012:incidents"


WATCHED = (CHECKOUT, ORDERS)
PARAMETERS = {
    "AlarmWindowMinutes": "90",
    "DatapointsToAlarm": "5",
    "IncidentActionArn": INCIDENTS,
}


@contextmanager
def shopping(*loaded: Detector, spike: int = 0) -> Iterator[Fleet]:
    """One deployment for all tests: two detectors, those of them `loaded` that have datapoints, the first with a spike."""
    with shared_fleet(WATCHED, **PARAMETERS) as shop:
        for each in loaded:
            spiked = spike and each is CHECKOUT
            shop.load(each, with_spike(SPIKE, datapoints=spike) if spiked else usual())
        yield shop


def raised(shop: Fleet) -> set[str]:
    return {name for name, state in shop.alarms().items() if state == "ALARM"}


def subjects(shop: Fleet) -> list[str]:
    return [call.parameters["Subject"] for call in shop.aws.calls.of("sns", "Publish")]


@pytest.mark.slow
def test_a_quiet_stack_raises_no_alarm() -> None:
    with shopping(*WATCHED) as shop:
        shop.train()
        shop.transform(TRANSFORM)
        shop.check_freshness(TRANSFORM + HOUR)

        assert raised(shop) == set()
        assert subjects(shop) == []


@pytest.mark.slow
def test_anomalies_raise_alarms_that_tell_only_who_tracks_incidents() -> None:
    with shopping(*WATCHED, spike=8) as shop:
        queue = _subscribed_queue(shop)
        shop.train()
        shop.transform(TRANSFORM)

        assert raised(shop) == {"anomalies", "anomalies-by-detector", "datapoints-together"}
        [message] = subjects(shop)
        assert message.startswith("Cutwatch high: checkout at 400")
        told = _told(shop, queue)
        assert {name for name, state in told if state == "ALARM"} == {
            "cutwatch-anomalies",
            "cutwatch-anomalies-by-detector",
            "cutwatch-datapoints-together",
        }

        shop.aws.clock.advance(5 * 3600)
        assert raised(shop) == set()
        assert "cutwatch-anomalies" in {n for n, state in _told(shop, queue) if state == "OK"}


@pytest.mark.slow
def test_the_alarm_on_datapoints_counts_more_than_those_that_it_is_told() -> None:
    with shopping(*WATCHED, spike=1) as shop:
        shop.train()
        shop.transform(TRANSFORM)
        assert raised(shop) == {"anomalies", "anomalies-by-detector"}


def test_a_run_that_could_not_begin_is_told_by_its_alarm() -> None:
    with shopping() as shop:
        shop.aws.clock.move_to(FIRST_TRAINING)
        shop.stack.start("TransformStateMachine", {"detectors": ["chekout"]}).wait()
        shop.aws.clock.advance(60)
        assert raised(shop) == {"transform-failed"}


def test_a_metric_that_is_gone_is_told_once() -> None:
    with shopping() as shop:
        shop.transform(TRANSFORM)
        shop.aws.clock.advance(60)
        assert raised(shop) == {"detectors-without-data"}


def test_a_check_that_no_longer_happens_is_noticed_and_a_first_one_is_waited_for() -> None:
    with shopping() as shop:
        queue = _subscribed_queue(shop)
        shop.aws.clock.move_to(FIRST_TRAINING)
        assert shop.alarms()["freshness-unknown"] == "INSUFFICIENT_DATA"
        # One check is missed.
        for day in (1, 2, 4):
            shop.check_freshness(FIRST_TRAINING + day * DAY)
            shop.aws.clock.advance(60)
            assert shop.alarms()["freshness-unknown"] == "OK"
        shop.aws.clock.advance(2 * 86_400)
        assert shop.alarms()["freshness-unknown"] == "OK"
        assert "INSUFFICIENT_DATA" not in dict(_told(shop, queue)).values()

        shop.aws.clock.advance(6 * 3_600)

        assert shop.alarms()["freshness-unknown"] == "INSUFFICIENT_DATA"
        assert ("cutwatch-freshness-unknown", "INSUFFICIENT_DATA") in _told(shop, queue)


@pytest.mark.slow
def test_a_transform_that_does_not_happen_is_noticed_and_then_a_model_that_nobody_renews() -> None:
    with shopping(*WATCHED) as shop:
        shop.train()
        shop.transform(TRANSFORM)
        seen = {}
        for days in (7, 9, 38):
            shop.check_freshness(TRANSFORM + days * DAY)
            shop.aws.clock.advance(60)
            seen[days] = raised(shop) & {"transform-overdue", "models-overdue"}
        assert seen == {
            7: set(),
            9: {"transform-overdue"},
            38: {"transform-overdue", "models-overdue"},
        }


@contextmanager
def failing() -> Iterator[Fleet]:
    """A detector whose jobs fail."""
    watched = detector("checkout")
    with shared_fleet([watched]) as shop:
        shop.load(watched, usual())
        shop.aws.sagemaker.fail(lambda _: True)
        yield shop


@pytest.mark.slow
def test_a_run_of_which_people_have_been_told_raises_no_alarm_on_its_execution() -> None:
    with failing() as shop:
        execution = shop.train()
        assert execution.wait().error == "AllDetectorsFailed"
        shop.aws.clock.advance(60)

        assert raised(shop) == {"detectors-failed"}
        assert subjects(shop) == ["Cutwatch: training failed for 1 detector: checkout"]


@pytest.mark.slow
def test_a_failed_run_that_waited_for_the_notification_lock_raises_no_alarm_either() -> None:
    with failing() as shop:
        shop.aws.clock.move_to(FIRST_TRAINING)
        run = run_id("training", FIRST_TRAINING)
        # An execution that dies holds the lock until it expires.
        shop.registry.notifications.claim(run, "another, which dies", FIRST_TRAINING)
        execution = shop.train().wait()
        assert execution.error == "AllDetectorsFailed"
        assert shop.aws.clock.now() > FIRST_TRAINING + HOUR / 4
        shop.aws.clock.advance(60)

        assert raised(shop) == {"detectors-failed"}
        assert subjects(shop) == ["Cutwatch: training failed for 1 detector: checkout"]


def _subscribed_queue(shop: Fleet) -> str:
    """The URL of a queue that hears what the incidents' topic hears, and has forgotten what an earlier test heard."""
    sns, sqs = shop.aws.client("sns"), shop.aws.client("sqs")
    topic = sns.create_topic(Name="incidents")["TopicArn"]
    url = str(sqs.create_queue(QueueName="incidents")["QueueUrl"])
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue["QueueArn"])
    _told(shop, url)
    return url


def _told(shop: Fleet, queue: str) -> list[tuple[str, str]]:
    """Alarms and their new states, as far as they have not been read."""
    sqs = shop.aws.client("sqs")
    told = []
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            alarm = json.loads(json.loads(message["Body"])["Message"])
            told.append((alarm["AlarmName"], alarm["NewStateValue"]))
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return told
