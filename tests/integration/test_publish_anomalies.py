"""Publish Anomalies: what CloudWatch shows afterwards is scores and cutoff, point for point."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any

import pytest

from cutwatch.aws_limits import PUT_METRIC_DATA_MAX_DATUMS
from cutwatch.errors import NotFound
from tests.account import Account, counted_calls
from tests.builders import a_detector, a_model
from tests.sample_events import sample

EVENT = sample("publish_anomalies")
DETECTOR = EVENT["detector"]["name"]
NEWEST = datetime(2026, 11, 2, 3, 45, tzinfo=UTC)
STAMPED_NOW = datetime(2026, 11, 2, 4, tzinfo=UTC)
PERIOD = timedelta(minutes=5)
CUTOFF = 16.0


@dataclass
class Scored:
    """A stored and scored window: the payload that publishes it, and what is to be published."""

    account: Account
    event: dict[str, Any]
    scores: dict[datetime, float]

    def publish(self, **changes: Any) -> Any:
        return self.account.invoke("publish_anomalies", self.event | changes)

    def published(self, metric: str, **options: Any) -> dict[datetime, float]:
        start = NEWEST - PERIOD * len(self.scores)
        detector = options.pop("detector", DETECTOR)
        return self.account.published(metric, start, NEWEST, detector, **options)

    def summary(self, metric: str) -> dict[datetime, float]:
        end = STAMPED_NOW + timedelta(minutes=1)
        return self.account.published(metric, STAMPED_NOW, end, DETECTOR, period=60)


def scored(account: Account, count: int, **detector: Any) -> Scored:
    """A window of `count` datapoints, every hundredth of them scored above the cutoff, one exactly at it."""
    start = NEWEST - PERIOD * count
    event = sample("publish_anomalies")
    event["detector"] |= detector
    trained_for = a_detector(**event["detector"] | {"cutoff": {}})
    model = a_model("model", trained_for, trained_through=f"{start:%Y-%m-%dT%H:%M:%SZ}")
    account.registry.add_model(DETECTOR, model)
    account.put_metric("AWS/Lambda", "Invocations", start, [float(n) for n in range(count)])
    store = {key: event[key] for key in ("run", "detector", "execution")}
    event["data"] = account.invoke("store_metric_data", store)
    scores = [20.0 + n / 1e4 if n % 100 == 50 else 10.0 + n / 1e4 for n in range(count)]
    scores[0] = CUTOFF
    lines = "".join(json.dumps({"score": score}) + "\n" for score in scores)
    account.store.write(f"scores/{DETECTOR}/{event['scoring']['name']}/part-00000.csv.out", lines)
    return Scored(account, event, {start + PERIOD * n: score for n, score in enumerate(scores)})


@pytest.fixture
def day(account: Account) -> Scored:
    return scored(account, 288)


def test_every_datapoint_has_its_score_at_its_own_timestamp(day: Scored) -> None:
    day.publish()

    assert day.published("AnomalyScore") == pytest.approx(day.scores)


def test_every_datapoint_above_the_cutoff_and_no_other_is_an_anomaly(day: Scored) -> None:
    day.publish()

    assert day.published("Anomaly") == {
        moment: float(score > CUTOFF) for moment, score in day.scores.items()
    }


def test_the_summary_is_stamped_with_the_runs_now(day: Scored) -> None:
    day.publish(now="2026-11-02T05:30:00Z")

    assert day.summary("AnomalousDatapoints") == {STAMPED_NOW: 3}
    assert day.summary("MaxAnomalyScore") == {STAMPED_NOW: pytest.approx(20.025)}


def test_publishing_again_changes_no_maximum(day: Scored) -> None:
    day.publish()
    before = {metric: day.published(metric) for metric in ("Anomaly", "AnomalyScore")}

    day.publish(now="2026-11-02T05:30:00Z")

    assert {metric: day.published(metric) for metric in before} == before
    assert day.published("Anomaly", statistic="SampleCount") == dict.fromkeys(day.scores, 2)


@pytest.mark.parametrize("count", [288, 1_000, 2_016])
def test_publishing_takes_as_few_calls_as_cloudwatch_allows(account: Account, count: int) -> None:
    window = scored(account, count)

    with counted_calls("cloudwatch") as calls:
        window.publish()

    datums = 2 * count + 2
    assert calls == ["PutMetricData"] * ceil(datums / PUT_METRIC_DATA_MAX_DATUMS)


def test_the_answer_and_the_outcome_count_what_was_found(day: Scored) -> None:
    answer = day.publish()

    assert answer == {
        "status": "PUBLISHED",
        "message": "3 of 288 datapoints anomalous",
        "anomalous_datapoints": 3,
    }
    outcome = day.account.registry.outcome(EVENT["run"]["id"], DETECTOR)
    assert outcome is not None
    assert outcome.datapoints == 288
    assert outcome.max_anomaly_score == pytest.approx(20.025)
    assert [anomaly.datapoints for anomaly in outcome.anomalies] == [1, 1, 1]


def test_the_watermark_moves_to_the_end_of_the_window(day: Scored) -> None:
    day.publish()

    assert day.account.registry.detector(DETECTOR).published_through == NEWEST


def test_the_next_run_has_nothing_new_until_time_has_passed(day: Scored) -> None:
    day.publish()

    again = {key: day.event[key] for key in ("run", "detector", "execution")}
    outcome = day.account.invoke("store_metric_data", again)["outcome"]
    assert outcome["status"] == "UP_TO_DATE"


def test_the_original_rule_judges_a_window_by_its_own_scores(account: Account) -> None:
    window = scored(account, 288, cutoff={"method": "window", "sigmas": None})
    [model] = account.registry.detector(DETECTOR).models
    account.registry.add_model(DETECTOR, model)

    window.publish()

    assert sum(window.published("Anomaly").values()) == 3


def test_datapoints_that_have_grown_too_old_are_counted_and_not_sent(day: Scored) -> None:
    late = NEWEST + timedelta(days=14) - PERIOD * 100

    answer = day.publish(now=f"{late:%Y-%m-%dT%H:%M:%SZ}")

    assert len(day.published("Anomaly")) == 99
    assert "189 datapoints lost, older than the two weeks" in answer["message"]


def test_a_silent_window_is_published_without_a_job_where_silence_is_the_anomaly(
    account: Account,
) -> None:
    window = scored(account, 12, missing_data="anomalous")
    prefix = window.event["data"]["prefix"]
    description = account.store.read_json(f"{prefix}description.json")
    account.store.write(
        f"{prefix}description.json", json.dumps(description | {"values": [None] * 12})
    )

    window.publish(scoring={"name": None})

    assert window.published("Anomaly") == dict.fromkeys(window.scores, 1.0)
    assert window.published("AnomalyScore") == {}


def test_a_dataset_that_is_gone_is_named(account: Account) -> None:
    with pytest.raises(NotFound, match=r"no dataset below data/lambda-invocations/"):
        account.invoke("publish_anomalies", EVENT)
