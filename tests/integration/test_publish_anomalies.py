"""Publish Anomalies: what CloudWatch shows afterwards is scores and cutoff, point for point."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any
from unittest.mock import patch

import pytest

from cutwatch.aws.limits import PUT_METRIC_DATA_MAX_DATUMS
from cutwatch.aws.s3 import Bucket
from cutwatch.detectors.detector import Detector
from cutwatch.errors import AccessDenied, Throttled
from cutwatch.registry.detector_record import CarriedCheckpoint
from cutwatch.registry.detector_store import DetectorStore
from cutwatch.registry.outcome import Outcome
from tests.support.account import Account
from tests.support.builders import a_model, a_recipe
from tests.support.client_events import counted_calls
from tests.support.sample_events import sample

EVENT = sample("publish_anomalies")
DETECTOR = EVENT["datasets"][0]["detector"]
NEWEST = datetime(2026, 11, 2, 3, 45, tzinfo=UTC)
STAMPED_NOW = datetime(2026, 11, 2, 4, tzinfo=UTC)
PERIOD = timedelta(minutes=5)
DELAY = timedelta(minutes=15)
CUTOFF = 16.0
TRAINING = {"method": "training", "sigmas": None}


@dataclass
class Scored:
    """A stored and scored window: the payloads that publish and stored it, and what is to be published."""

    account: Account
    event: dict[str, Any]
    store: dict[str, Any]
    scores: dict[datetime, float]

    @property
    def end(self) -> datetime:
        return max(self.scores) + PERIOD

    def publish(self, **changes: Any) -> Any:
        return self.account.invoke("publish_anomalies", self.event | changes)

    @property
    def outcome(self) -> Outcome:
        recorded = self.account.registry.outcomes.get(self.event["run"]["id"], DETECTOR)
        assert recorded is not None
        return recorded

    def published(self, metric: str, **options: Any) -> dict[datetime, float]:
        return self.account.published(metric, min(self.scores), self.end, DETECTOR, **options)

    def anomalous(self) -> list[datetime]:
        return sorted(moment for moment, one in self.published("Anomaly").items() if one)

    def summary(self, metric: str, at: datetime = STAMPED_NOW) -> dict[datetime, float]:
        end = at + timedelta(minutes=1)
        return self.account.published(metric, at, end, DETECTOR, period=60)


def scored(
    account: Account, scores: Sequence[float], end: datetime = NEWEST, **fields: Any
) -> Scored:
    """A window of which every datapoint has the score that is its value; three days before are around 10."""
    start = end - PERIOD * len(scores)
    event, store = sample("publish_anomalies"), sample("store_metric_data")
    store["detectors"][0] |= fields
    event["run"] |= {
        "id": f"transform-{end:%Y%m%dT%H%M%SZ}",
        "scheduled_time": (end + DELAY).isoformat(),
    }
    store["run"] = event["run"]
    detector = Detector.from_payload(store["detectors"][0])
    trained_through = f"{start:%Y-%m-%dT%H:%M:%SZ}"
    method = detector.cutoff.method
    model = a_model("model", detector, trained_through=trained_through, cutoff_method=method)
    began = start - 3 * 288 * PERIOD
    account.register_model(DETECTOR, model, a_recipe(first=int(began.timestamp())))
    if end == NEWEST:  # a later window follows that one
        account.put_metric("AWS/Lambda", "Invocations", began, [9.0, 10.0, 11.0] * 288)
    account.put_metric("AWS/Lambda", "Invocations", start, scores)
    event["datasets"] = account.invoke("store_metric_data", store)["datasets"]
    rows = account.store.read(f"{event['datasets'][0]['prefix']}rows/part-00000.csv").split()
    lines = "".join(json.dumps({"score": float(row) or 10.0}) + "\n" for row in rows)
    account.store.write(f"scores/{DETECTOR}/{event['scoring']['name']}/part-00000.csv.out", lines)
    return Scored(
        account, event, store, {start + PERIOD * n: score for n, score in enumerate(scores)}
    )


def spiky(count: int) -> list[float]:
    """Every hundredth score above the textbook's cutoff, the first exactly at it."""
    scores = [20.0 + n / 1e4 if n % 100 == 50 else 10.0 + n / 1e4 for n in range(count)]
    return [CUTOFF, *scores[1:]]


def test_the_expected_range_of_a_window_is_stored_for_the_widget_once(account: Account) -> None:
    window = scored(account, [9.0, 10.0, 11.0] * 8)
    window.publish()
    window.publish()

    start = min(window.scores)
    [band] = account.registry.bands.between(DETECTOR, start, window.end)
    assert band.step == 3_600
    begins = [datetime.fromtimestamp(point.time, UTC) for point in band.points]
    hour = start.replace(minute=0)
    assert begins == [hour + timedelta(hours=n) for n in range(len(begins))]
    assert begins[-1] < window.end <= begins[-1] + timedelta(hours=1)
    assert all(point.low < point.expected < point.high for point in band.points)
    assert all(9 <= point.expected <= 11 for point in band.points)


@pytest.fixture
def day(account: Account) -> Scored:
    """A day judged by the textbook's rule."""
    return scored(account, spiky(288), cutoff=TRAINING)


def test_a_published_day_has_its_scores_and_anomalies_and_the_answer_and_the_outcome_count_them(
    day: Scored,
) -> None:
    answer = day.publish()

    assert day.published("AnomalyScore") == pytest.approx(day.scores)
    assert day.published("Anomaly") == {
        moment: float(score > CUTOFF) for moment, score in day.scores.items()
    }
    assert answer == {
        "detectors": 1,
        "datapoints": 288,
        "anomalous_datapoints": 3,
        "new_events": 3,
    }
    outcome = day.outcome
    assert outcome.message == "3 new events, 3 of 288 datapoints anomalous"
    assert outcome.datapoints == 288
    assert outcome.max_anomaly_score == pytest.approx(20.025)
    assert outcome.cutoff == CUTOFF
    assert [event.datapoints for event in outcome.events] == [1, 1, 1]


def test_the_summary_is_stamped_with_the_time_of_publishing_however_long_the_jobs_took(
    day: Scored,
) -> None:
    late = STAMPED_NOW + timedelta(hours=7)

    day.publish(now=f"{late:%Y-%m-%dT%H:%M:%SZ}")

    assert day.summary("AnomalousDatapoints", late) == {late: 3}
    assert day.summary("MaxAnomalyScore", late) == {late: pytest.approx(20.025)}


def test_a_repetition_changes_no_maximum_tells_alarms_nothing_new_and_records_events_once(
    day: Scored,
) -> None:
    later = STAMPED_NOW + timedelta(hours=20)
    day.publish()
    before = {metric: day.published(metric) for metric in ("Anomaly", "AnomalyScore")}

    day.publish(now=f"{later:%Y-%m-%dT%H:%M:%SZ}")

    assert {metric: day.published(metric) for metric in before} == before
    assert day.published("Anomaly", statistic="SampleCount") == dict.fromkeys(day.scores, 2)
    assert day.summary("AnomalousDatapoints", later) == {}
    found = day.account.registry.events.between(min(day.scores), day.end)
    assert sorted(day.outcome.events, key=lambda event: event.start, reverse=True) == [
        each.event for each in found
    ]
    assert {each.run for each in found} == {day.event["run"]["id"]}
    record = day.account.registry.detectors.get(DETECTOR)
    assert record.detector == Detector.from_payload(day.store["detectors"][0])


@pytest.mark.parametrize(("minutes", "together"), [("0", None), ("600", 2)])
def test_datapoints_together_are_published_where_an_alarm_asks_for_them(
    day: Scored, minutes: str, together: int | None
) -> None:
    """One anomaly in every hundred datapoints of five minutes: two within ten hours."""
    day.account.overrides["ALARM_WINDOW_MINUTES"] = minutes

    day.publish(now=f"{STAMPED_NOW:%Y-%m-%dT%H:%M:%SZ}")

    published = {} if together is None else {STAMPED_NOW: together}
    assert day.summary("AnomalousDatapointsTogether") == published
    assert day.outcome.datapoints_together == together


@pytest.mark.parametrize("count", [288, 1_000])
def test_publishing_takes_as_few_calls_as_cloudwatch_allows(account: Account, count: int) -> None:
    window = scored(account, spiky(count), cutoff=TRAINING)

    with counted_calls("cloudwatch") as calls:
        window.publish()

    datums = 2 * count + 2
    assert calls == ["PutMetricData"] * ceil(datums / PUT_METRIC_DATA_MAX_DATUMS)


def test_the_watermark_moves_to_the_end_of_the_window_and_the_next_run_has_nothing_new(
    day: Scored,
) -> None:
    day.publish()

    assert day.account.registry.detectors.get(DETECTOR).published_through == NEWEST
    day.store["run"] |= {"id": "transform-20261102T050000Z"}
    assert day.account.invoke("store_metric_data", day.store)["pending"] == 0
    outcome = day.account.registry.outcomes.get("transform-20261102T050000Z", DETECTOR)
    assert outcome is not None
    assert outcome.status == "UP_TO_DATE"


def test_the_original_rule_judges_a_window_by_its_own_scores(account: Account) -> None:
    scores = [10.0 if n % 2 else 30.0 for n in range(287)] + [70.0]
    window = scored(account, scores, cutoff={"method": "window", "sigmas": None})

    window.publish()

    assert window.anomalous() == [max(window.scores)]


def test_the_default_judgement_raises_one_event_that_begins_with_the_incident(
    account: Account,
) -> None:
    window = scored(account, [10.0] * 100 + [40.0] * 12 + [10.0] * 176)

    answer = window.publish()

    anomalous, incident = window.anomalous(), list(window.scores)[100:112]
    assert answer["new_events"] == 1
    assert incident[0] <= anomalous[0] <= incident[2]
    assert set(incident[2:]) <= set(anomalous)
    assert anomalous[-1] - anomalous[0] == PERIOD * (len(anomalous) - 1)


def test_an_incident_that_two_windows_share_is_told_once(account: Account) -> None:
    first = scored(account, [10.0] * 276 + [40.0] * 12)
    told = first.publish()
    second = scored(account, [40.0] * 6 + [10.0] * 282, NEWEST + timedelta(days=1))

    answer = second.publish(now="2026-11-03T04:05:10Z")

    assert (told["new_events"], answer["new_events"]) == (1, 0)
    assert second.anomalous()[0] == min(second.scores)
    assert second.outcome.events == ()


def test_a_run_repeated_after_it_was_published_tells_the_same(account: Account) -> None:
    window = scored(account, [10.0] * 276 + [40.0] * 12)

    first = window.publish()
    anomalous = window.anomalous()

    assert window.publish() == first
    assert window.anomalous() == anomalous


def test_datapoints_that_have_grown_too_old_are_counted_and_not_sent(day: Scored) -> None:
    late = NEWEST + timedelta(days=14) - PERIOD * 100

    day.publish(now=f"{late:%Y-%m-%dT%H:%M:%SZ}")

    assert len(day.published("Anomaly")) == 99
    assert "189 datapoints lost, older than the two weeks" in day.outcome.message


def test_a_silent_window_is_published_without_a_job_where_silence_is_the_anomaly(
    account: Account,
) -> None:
    window = scored(account, [10.0] * 12, missing_data="anomalous")
    prefix = window.event["datasets"][0]["prefix"]
    description = account.store.read_json(f"{prefix}description.json")
    silent = {"values": [*description["values"][:-12], *[None] * 12], "rows": 0}
    account.store.write(f"{prefix}description.json", json.dumps(description | silent))

    only_gaps = [dataset | {"rows": 0} for dataset in window.event["datasets"]]

    answer = window.publish(scoring={"name": None}, datasets=only_gaps)

    assert window.published("Anomaly") == dict.fromkeys(window.scores, 1.0)
    assert window.published("AnomalyScore") == {}
    assert answer["new_events"] == 1


def test_a_dataset_that_is_gone_is_named(account: Account) -> None:
    answer = account.invoke("publish_anomalies", EVENT)

    assert answer["detectors"] == 0
    outcome = account.registry.outcomes.get(EVENT["run"]["id"], DETECTOR)
    assert outcome is not None
    assert "no dataset below data/lambda-invocations/" in outcome.message


def test_a_watermark_that_may_not_move_is_the_outcome_not_a_success(day: Scored) -> None:
    refused = AccessDenied("UpdateItem", "AccessDeniedException", "not authorized")

    with patch.object(DetectorStore, "advance", side_effect=refused):
        day.publish()

    failed = day.outcome
    day.publish()
    assert (failed.status, day.outcome.status) == ("FAILED", "PUBLISHED")
    assert failed.message.startswith("AccessDenied: UpdateItem")


def carrying(window: Scored) -> None:
    """As if two transforms had carried a forest inside Lambda before this window."""
    carried = CarriedCheckpoint("model", "scores/b/forest.npz", "scores/a/forest.npz")
    before = min(window.scores)
    window.account.registry.detectors.advance(DETECTOR, before, "earlier run", None, None, carried)


def test_a_superseded_state_that_may_not_be_deleted_fails_nobody(day: Scored) -> None:
    carrying(day)
    refused = AccessDenied("DeleteObject", "AccessDenied", "not authorized")

    with patch.object(Bucket, "delete", side_effect=refused):
        day.publish()

    assert day.outcome.status == "PUBLISHED"
    assert day.account.registry.detectors.get(DETECTOR).published_through == day.end


def test_a_superseded_state_whose_deletion_is_throttled_is_deleted_by_the_retry(
    day: Scored,
) -> None:
    carrying(day)
    throttled = Throttled("DeleteObject", "SlowDown", "slow down")

    with patch.object(Bucket, "delete", side_effect=throttled), pytest.raises(Throttled):
        day.publish()

    with patch.object(Bucket, "delete") as delete:
        day.publish()
    delete.assert_called_once_with("scores/a/forest.npz")
