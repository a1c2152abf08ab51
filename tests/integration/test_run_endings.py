"""Record Outcome, Summarize Run and Retire Detectors: how a run ends."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
import time_machine

from cutwatch.aws.clients import client
from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.errors import AccessDenied, ClaimHeld, Throttled
from cutwatch.registry.notification_store import NotificationStore
from cutwatch.registry.outcome_store import OutcomeStore
from cutwatch.registry.silences import Silence
from cutwatch.timestamps import floor_to_period, parse_timestamp
from tests.support.account import Account
from tests.support.builders import a_detector, a_model, an_outcome
from tests.support.client_events import counted_calls
from tests.support.sample_events import sample

SUMMARIZE, RECORD = sample("summarize_run"), sample("record_outcome")
RUN, DETECTOR = SUMMARIZE["run"]["id"], RECORD["detectors"][0]["name"]
NOW = datetime(2026, 11, 2, 4, tzinfo=UTC)
SUMMARIZED = parse_timestamp(SUMMARIZE["now"])
# The minute in which Summarize Run is entered.
COUNTED = datetime(2026, 11, 2, 4, 5, tzinfo=UTC)


def list_detectors(account: Account, *names: str) -> None:
    account.store.write(f"runs/{RUN}/detectors.json", json.dumps(names))


def record(account: Account, detector: str, status: Any, message: str = "", **fields: Any) -> None:
    outcome = an_outcome(detector, status, message, **fields)
    account.registry.outcomes.record(RUN, NOW, outcome)


def totals(account: Account, metric: str, at: datetime = COUNTED) -> list[float]:
    published = account.published(metric, at, at + timedelta(minutes=1), period=60)
    return list(published.values())


def test_a_caught_error_is_recorded_with_the_functions_own_words(account: Account) -> None:
    answer = account.invoke("record_outcome", RECORD)

    outcome = account.registry.outcomes.get(RUN, DETECTOR)
    assert outcome is not None
    assert answer == {"message": outcome.message}
    assert outcome.status == "FAILED"
    assert outcome.message.startswith("QuotaExceeded: CreateTransformJob: The account-level")


def test_a_batch_that_failed_is_recorded_for_each_detector_that_has_no_better_outcome(
    account: Account,
) -> None:
    record(account, "silent", "NO_DATA", "no datapoints")
    record(account, "done", "PUBLISHED")
    record(account, "failed-before", "FAILED", "another reason")
    names = ["silent", "done", "failed-before", "new"]

    account.invoke("record_outcome", RECORD | {"detectors": [{"name": name} for name in names]})

    found = {outcome.detector: outcome.status for outcome in account.registry.outcomes.of_run(RUN)}
    assert found == {
        "silent": "NO_DATA",
        "done": "PUBLISHED",
        "failed-before": "FAILED",
        "new": "FAILED",
    }


def test_a_failure_of_a_repetition_does_not_replace_a_success(account: Account) -> None:
    record(account, DETECTOR, "PUBLISHED")

    account.invoke("record_outcome", RECORD)

    outcome = account.registry.outcomes.get(RUN, DETECTOR)
    assert outcome is not None
    assert outcome.status == "PUBLISHED"


def test_the_summary_counts_outcomes_and_publishes_totals(account: Account) -> None:
    list_detectors(account, "orders", "refunds", "visits")
    record(
        account, "orders", "PUBLISHED", anomalous_datapoints=2, new_events=1, max_anomaly_score=4.5
    )
    record(account, "refunds", "PUBLISHED", anomalous_datapoints=0, max_anomaly_score=1.5)
    record(account, "visits", "FAILED", "Throttled: slow down")

    answer = account.invoke("summarize_run", SUMMARIZE)

    assert answer["statuses"] == {"PUBLISHED": 2, "FAILED": 1}
    assert answer["failures"] == [{"detector": "visits", "reason": "Throttled: slow down"}]
    assert not answer["all_failed"]
    assert totals(account, "AnomalousDatapoints") == [2]
    assert totals(account, "MaxAnomalyScore") == [4.5]
    assert totals(account, "NewEvents") == [1]
    assert totals(account, "DetectorsFailed") == [1]
    assert totals(account, "DetectorsWithoutData") == [0]


def test_totals_are_stamped_when_they_are_first_counted_however_long_the_run_took(
    account: Account,
) -> None:
    list_detectors(account, "orders")
    record(account, "orders", "PUBLISHED", anomalous_datapoints=2, new_events=1)
    late = COUNTED + timedelta(hours=7)

    account.invoke("summarize_run", SUMMARIZE | {"now": f"{late:%Y-%m-%dT%H:%M:%SZ}"})
    account.invoke("summarize_run", SUMMARIZE | {"now": "2026-11-02T20:00:00Z"})

    assert totals(account, "AnomalousDatapoints", late) == [2]
    assert totals(account, "AnomalousDatapoints", datetime(2026, 11, 2, 20, tzinfo=UTC)) == []


def test_detectors_without_data_are_counted_and_no_failure(account: Account) -> None:
    list_detectors(account, "orders", "silent", "young")
    record(account, "orders", "PUBLISHED")
    record(account, "silent", "NO_DATA")
    record(account, "young", "TOO_LITTLE_HISTORY")

    account.invoke("summarize_run", SUMMARIZE)

    assert totals(account, "DetectorsWithoutData") == [1]
    assert totals(account, "DetectorsFailed") == [0]


def test_only_events_that_are_severe_enough_are_mailed_and_all_are_put_on_the_bus(
    account: Account,
) -> None:
    at = "2026-11-02T10:30:00Z"
    minor, major = (
        AnomalyEvent(f"{name}:{at}", at, at, at, 1, severity, period_seconds=300)
        for name, severity in (("orders", 1.2), ("visits", 1.6))
    )
    list_detectors(account, "orders", "visits", "refunds")
    record(account, "orders", "PUBLISHED", new_events=1, events=(minor,))
    record(account, "visits", "PUBLISHED", new_events=2, events=(major, minor))
    record(account, "refunds", "PUBLISHED", new_events=1, events=(minor,))

    account.invoke("summarize_run", SUMMARIZE)

    [(subject, text)] = account.messages("NotificationTopic")
    assert subject == "Cutwatch medium: visits is anomalous"
    assert "orders" not in text
    assert "refunds" not in text
    assert text.count("  Severity ") == 1
    assert "and 1 more event: cutwatch events visits" in text
    assert len(account.on_bus()) == 4


def test_a_run_with_minor_events_alone_sends_no_mail(account: Account) -> None:
    at = "2026-11-02T10:30:00Z"
    minor = AnomalyEvent(f"orders:{at}", at, at, at, 1, 1.2, period_seconds=300)
    list_detectors(account, "orders")
    record(account, "orders", "PUBLISHED", new_events=1, events=(minor,))

    assert account.invoke("summarize_run", SUMMARIZE)["notified"] is False
    assert account.messages("NotificationTopic") == []


def test_an_outage_alone_is_mailed_once_and_not_of_a_silenced_detector(account: Account) -> None:
    outage = ("2026-11-02T03:00:00Z", "2026-11-02T04:55:00Z")
    list_detectors(account, "orders", "visits")
    for name in ("orders", "visits"):
        definition = a_detector(name).to_payload()
        record(account, name, "PUBLISHED", outage=outage, definition=definition)
    silence(account, "visits", LATER)

    assert account.invoke("summarize_run", SUMMARIZE)["notified"] is True
    assert account.invoke("summarize_run", SUMMARIZE)["notified"] is False

    [(subject, text)] = account.messages("NotificationTopic")
    assert subject == "Cutwatch: orders had no data for 2 h"
    assert "visits" not in text
    assert account.on_bus() == []


def test_people_hear_of_anomalies_and_of_failures_from_two_topics(account: Account) -> None:
    list_detectors(account, "orders", "visits")
    record(account, "orders", "PUBLISHED", "2 of 288 datapoints anomalous", new_events=1)
    record(account, "visits", "FAILED", "Throttled: slow down")

    account.invoke("summarize_run", SUMMARIZE)

    [(subject, text)] = account.messages()
    assert subject == "Cutwatch medium: orders is anomalous"
    assert "orders: 2 of 288 datapoints anomalous" in text
    assert "visits" not in text
    [(subject, text)] = account.operations_messages()
    assert subject == "Cutwatch: transform failed for 1 detector: visits"
    assert "visits: Throttled: slow down" in text
    assert [each["detector"] for each in account.attributes()] == [["orders"]]


def test_programs_hear_of_every_event_once(account: Account) -> None:
    list_detectors(account, "orders", "visits")
    record(account, "orders", "PUBLISHED", new_events=1)
    account.invoke("summarize_run", SUMMARIZE)
    record(account, "visits", "PUBLISHED", new_events=1)

    account.invoke("summarize_run", SUMMARIZE | {"execution": "a repetition"})

    assert [detail["detector"] for detail in account.on_bus()] == ["orders", "visits"]
    assert {entry["Source"] for entry in account.bus} == {"cutwatch"}


def test_programs_hear_of_a_silenced_detectors_events(account: Account) -> None:
    list_detectors(account, "orders")
    record(account, "orders", "PUBLISHED", new_events=1)
    silence(account, "orders", LATER)

    account.invoke("summarize_run", SUMMARIZE)

    assert [detail["silenced"] for detail in account.on_bus()] == [True]
    assert account.messages() == []


def test_people_are_told_though_the_bus_is_told_no_second_time(account: Account) -> None:
    list_detectors(account, "orders")
    record(account, "orders", "PUBLISHED", new_events=1)
    refused = Throttled("Publish", "Throttling", "slow down")
    with patch.object(client("sns"), "publish", side_effect=refused), pytest.raises(Throttled):
        account.invoke("summarize_run", SUMMARIZE)

    account.invoke("summarize_run", SUMMARIZE)

    assert (len(account.messages()), len(account.bus)) == (1, 1)


def test_a_bus_that_takes_nothing_keeps_nobody_from_being_told(account: Account) -> None:
    list_detectors(account, "orders", "visits")
    record(account, "orders", "PUBLISHED", new_events=1)
    record(account, "visits", "FAILED", "no reason")
    denied = AccessDenied("PutEvents", "AccessDeniedException", "not allowed")

    with (
        patch.object(client("events"), "put_events", side_effect=denied),
        pytest.raises(AccessDenied),
    ):
        account.invoke("summarize_run", SUMMARIZE)

    assert (len(account.messages()), len(account.operations_messages())) == (1, 1)
    again = account.invoke("summarize_run", SUMMARIZE | {"execution": "after the role was mended"})
    assert again["notified"] is False
    assert len(account.on_bus()) == 1


def test_while_another_execution_tells_a_run_waits_for_its_turn(account: Account) -> None:
    list_detectors(account, "orders")
    record(account, "orders", "PUBLISHED", new_events=1)
    claimed = datetime.now(UTC)
    account.registry.notifications.claim(RUN, "another, which dies", claimed)

    with pytest.raises(ClaimHeld, match="holds the notification lock"):
        account.invoke("summarize_run", SUMMARIZE)

    # Step Functions hands each retry the same `now`; only the clock tells that the claim has lapsed.
    with time_machine.travel(claimed + timedelta(minutes=16)):
        assert account.invoke("summarize_run", SUMMARIZE)["notified"]


@pytest.mark.parametrize("waited", [timedelta(0), timedelta(minutes=70)])
def test_a_run_that_failed_as_a_whole_is_told_to_the_alarm_as_told_when_its_execution_ends(
    account: Account, waited: timedelta
) -> None:
    list_detectors(account, "visits")
    record(account, "visits", "FAILED")

    # Step Functions hands each retry the same `now`.
    ended = COUNTED + waited
    with time_machine.travel(ended, tick=False):
        account.invoke("summarize_run", SUMMARIZE)

    dimensions = {"Run": "transform", "Stack": "cutwatch"}
    told = client("cloudwatch").get_metric_statistics(
        Namespace=account.namespace, MetricName="FailedRunsNotified", Period=60, Statistics=["Maximum"],
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        StartTime=COUNTED, EndTime=ended + timedelta(minutes=10),
    )  # fmt: skip
    minutes = {
        floor_to_period(each["Timestamp"], 60): each["Maximum"] for each in told["Datapoints"]
    }
    assert minutes == {ended: 1, ended + timedelta(minutes=5): 1}


def test_a_quiet_run_sends_no_message(account: Account) -> None:
    list_detectors(account, "orders")
    record(account, "orders", "PUBLISHED")

    assert account.invoke("summarize_run", SUMMARIZE)["notified"] is False
    assert account.messages() == account.operations_messages() == []
    assert account.bus == []


@pytest.mark.parametrize("execution", [SUMMARIZE["execution"], "a doubled execution"])
def test_neither_a_retry_nor_a_doubled_execution_notifies_again(
    account: Account, execution: str
) -> None:
    list_detectors(account, "visits")
    record(account, "visits", "FAILED")
    account.invoke("summarize_run", SUMMARIZE)

    again = account.invoke("summarize_run", SUMMARIZE | {"execution": execution})

    assert again["notified"] is False
    assert len(account.operations_messages()) == 1


def test_a_repetition_tells_what_is_news_and_nothing_else(account: Account) -> None:
    list_detectors(account, "orders", "visits")
    record(account, "orders", "FAILED", "Throttled: slow down")
    record(account, "visits", "FAILED", "Throttled: slow down")
    account.invoke("summarize_run", SUMMARIZE)
    record(account, "orders", "PUBLISHED", new_events=1)

    again = account.invoke("summarize_run", SUMMARIZE | {"execution": "a repetition"})

    assert again["notified"]
    assert len(account.operations_messages()) == 1
    assert [subject for subject, _ in account.messages()] == [
        "Cutwatch medium: orders is anomalous"
    ]


def test_training_on_demand_leaves_the_message_to_the_transform_that_asked_for_it(
    account: Account,
) -> None:
    list_detectors(account, "visits")
    record(account, "visits", "FAILED")
    event = SUMMARIZE | {"run": SUMMARIZE["run"] | {"kind": "training", "on_demand": True}}

    account.invoke("summarize_run", event)

    assert account.operations_messages() == []


def test_a_detector_that_left_no_outcome_has_failed(account: Account) -> None:
    list_detectors(account, "orders")

    answer = account.invoke("summarize_run", SUMMARIZE)

    assert answer["all_failed"]
    assert answer["failures"][0]["reason"].startswith("its part of the run ended without")


def test_detectors_that_left_the_file_are_retired_with_their_models(account: Account) -> None:
    for detector in ("forgotten", DETECTOR):
        account.sagemaker.models[f"cutwatch-{detector}"] = {}
        account.registry.detectors.add_model(detector, a_model(f"cutwatch-{detector}"))

    answer = account.invoke("retire_detectors", sample("retire_detectors"))

    assert answer == {"retired": ["forgotten"], "problems": []}
    assert set(account.registry.detectors.all()) == {DETECTOR}
    assert set(account.sagemaker.models) == {f"cutwatch-{DETECTOR}"}


def test_a_detector_whose_model_cannot_be_deleted_is_retired_next_time(account: Account) -> None:
    account.sagemaker.models["cutwatch-model"] = {}
    account.registry.detectors.add_model("forgotten", a_model("cutwatch-model"))
    account.sagemaker.refuse("DeleteModel", "AccessDeniedException", "not allowed")

    first = account.invoke("retire_detectors", sample("retire_detectors"))
    second = account.invoke("retire_detectors", sample("retire_detectors"))

    assert first["retired"] == []
    assert "not allowed" in first["problems"][0]
    assert second == {"retired": ["forgotten"], "problems": []}


def test_a_model_that_is_gone_already_does_not_hold_up_its_retirement(account: Account) -> None:
    account.registry.detectors.add_model("forgotten", a_model("cutwatch-gone"))

    answer = account.invoke("retire_detectors", sample("retire_detectors"))

    assert answer == {"retired": ["forgotten"], "problems": []}


def test_a_message_that_was_sent_is_noted_however_often_the_table_throttles(
    account: Account,
) -> None:
    list_detectors(account, "visits")
    record(account, "visits", "FAILED", "no reason")
    mark = NotificationStore.mark
    throttled = Throttled("UpdateItem", "ProvisionedThroughputExceededException", "slow down")
    answers = [throttled, throttled]

    def throttling(store: NotificationStore, run: str, notified: set[str]) -> None:
        if answers:
            raise answers.pop()
        mark(store, run, notified)

    with (
        patch.object(NotificationStore, "mark", throttling),
        patch("cutwatch.notifications.dispatch.sleep"),
    ):
        assert account.invoke("summarize_run", SUMMARIZE)["notified"]

    assert not account.invoke("summarize_run", SUMMARIZE)["notified"]


def silence(account: Account, detector: str, until: datetime) -> None:
    account.registry.silences.record(Silence(detector, NOW, until, "known deployment"))


LATER, EARLIER = SUMMARIZED + timedelta(days=1), SUMMARIZED - timedelta(minutes=1)


def test_nobody_is_told_of_a_silenced_detectors_events(account: Account) -> None:
    list_detectors(account, "orders")
    record(account, "orders", "PUBLISHED", anomalous_datapoints=3, new_events=1)
    silence(account, "orders", LATER)

    answer = account.invoke("summarize_run", SUMMARIZE)

    assert (answer["notified"], answer["new_events"]) == (False, 1)
    assert account.messages() == []
    assert totals(account, "AnomalousDatapoints") == [3]


def test_a_message_about_others_names_the_silenced_in_one_line(account: Account) -> None:
    list_detectors(account, "orders", "visits")
    for name in ("orders", "visits"):
        record(account, name, "PUBLISHED", new_events=1)
    silence(account, "orders", LATER)
    silence(account, "of another run", LATER)

    account.invoke("summarize_run", SUMMARIZE)

    [(subject, text)] = account.messages()
    assert subject == "Cutwatch medium: visits is anomalous"
    lines = [line for line in text.splitlines() if "orders" in line]
    assert lines == [f"Silenced: orders until {LATER:%Y-%m-%d %H:%M} UTC"]


def test_a_silenced_detectors_failure_is_told(account: Account) -> None:
    list_detectors(account, "orders")
    record(account, "orders", "FAILED", "Throttled: slow down")
    silence(account, "orders", LATER)

    assert account.invoke("summarize_run", SUMMARIZE)["notified"]


def test_a_silence_that_is_over_silences_nobody_though_it_is_still_stored(
    account: Account,
) -> None:
    list_detectors(account, "orders")
    record(account, "orders", "PUBLISHED", new_events=1)
    silence(account, "orders", EARLIER)

    assert account.invoke("summarize_run", SUMMARIZE)["notified"]
    assert "Silenced" not in account.messages()[0][1]


def test_what_a_silence_withheld_is_not_told_after_it(account: Account) -> None:
    list_detectors(account, "orders")
    record(account, "orders", "PUBLISHED", new_events=1)
    silence(account, "orders", LATER)
    account.invoke("summarize_run", SUMMARIZE)
    account.registry.silences.lift("orders")

    again = account.invoke("summarize_run", SUMMARIZE | {"execution": "a repetition"})

    assert again["notified"] is False
    assert account.messages() == []


def test_silences_are_read_in_one_query(account: Account) -> None:
    list_detectors(account, "orders", "visits")
    for name in ("orders", "visits"):
        record(account, name, "PUBLISHED", new_events=1)
        silence(account, name, LATER)

    with counted_calls("dynamodb") as calls:
        account.invoke("summarize_run", SUMMARIZE)
    assert calls.count("Query") == 2


def test_a_detector_that_left_no_outcome_has_failed_as_the_run_has_and_that_is_recorded(
    account: Account,
) -> None:
    list_detectors(account, "orders", "refunds")
    record(account, "orders", "PUBLISHED")
    error = {"Error": "States.ItemReaderFailed", "Cause": "Access Denied"}

    answer = account.invoke("summarize_run", SUMMARIZE | {"error": error})

    [failed] = answer["failures"]
    assert failed["detector"] == "refunds"
    assert failed["reason"].endswith("its detectors: States.ItemReaderFailed: Access Denied")
    recorded = account.registry.outcomes.get(RUN, "refunds")
    assert recorded is not None
    assert (recorded.status, recorded.message) == ("FAILED", failed["reason"])


def test_an_outcome_that_comes_after_the_summary_has_looked_is_kept(account: Account) -> None:
    list_detectors(account, "orders")
    of_run = OutcomeStore.of_run

    def looked_too_early(store: OutcomeStore, run: str) -> Any:
        found = of_run(store, run)
        record(account, "orders", "UP_TO_DATE", "nothing new")
        return found

    with patch.object(OutcomeStore, "of_run", looked_too_early):
        account.invoke("summarize_run", SUMMARIZE)

    recorded = account.registry.outcomes.get(RUN, "orders")
    assert recorded is not None
    assert recorded.status == "UP_TO_DATE"
