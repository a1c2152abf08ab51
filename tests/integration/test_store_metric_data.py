"""Store Metric Data turns datapoints into a dataset, or says why there is nothing to do."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.account import Account, counted_calls
from tests.builders import a_detector, a_model, an_outcome
from tests.sample_events import sample

EVENT = sample("store_metric_data")
DETECTOR = EVENT["detector"]["name"]
SCHEDULED = datetime(2026, 11, 2, 4, tzinfo=UTC)
# 04:00 less the 15 minutes that late datapoints are given.
NEWEST = SCHEDULED - timedelta(minutes=15)
MODEL = a_model(
    sample("start_transform_job")["model"],
    a_detector(**EVENT["detector"] | {"cutoff": {}}),
    trained_through="2026-11-01T02:45:00Z",
)


def event(kind: str = "transform", **detector: Any) -> dict[str, Any]:
    """The sample, for either kind of run and with some of the detector's fields changed."""
    payload = sample("store_metric_data")
    payload["run"] = payload["run"] | {"kind": kind, "id": f"{kind}-20261102T040000Z"}
    payload["detector"] |= detector
    return payload


def training_event(**detector: Any) -> dict[str, Any]:
    """One day of history is enough, and quickly read."""
    return event("training", **({"history_days": 1} | detector))


def report(account: Account, count: int, end: datetime = NEWEST) -> list[float]:
    """Let the metric have reported `count` datapoints up to `end`."""
    values = [100.0 + position for position in range(count)]
    account.put_metric("AWS/Lambda", "Invocations", end - timedelta(minutes=5 * count), values)
    return values


@pytest.fixture
def trained(account: Account) -> Account:
    account.registry.add_model(DETECTOR, MODEL)
    return account


def test_a_transform_stores_what_happened_since_its_model_was_trained(trained: Account) -> None:
    report(trained, 300)

    answer = trained.invoke("store_metric_data", EVENT)

    assert answer == sample("start_transform_job")["data"]


def test_rows_and_timestamps_are_the_datapoints(trained: Account) -> None:
    values = report(trained, 300)

    prefix = trained.invoke("store_metric_data", EVENT)["prefix"]

    assert trained.keys(prefix) == [
        f"{prefix}description.json",
        f"{prefix}rows/part-00000.csv",
        f"{prefix}timestamps.csv",
    ]
    rows = trained.store.read(f"{prefix}rows/part-00000.csv").split()
    assert [float(row) for row in rows] == values
    first, *_, last = map(int, trained.store.read(f"{prefix}timestamps.csv").split())
    assert datetime.fromtimestamp(first, UTC) == datetime(2026, 11, 1, 2, 45, tzinfo=UTC)
    assert datetime.fromtimestamp(last, UTC) == NEWEST - timedelta(minutes=5)


def test_a_second_time_finds_the_dataset_and_reads_nothing_again(trained: Account) -> None:
    report(trained, 300)
    first = trained.invoke("store_metric_data", EVENT)
    report(trained, 10)

    with counted_calls("cloudwatch") as calls:
        assert trained.invoke("store_metric_data", EVENT) == first
    assert calls == []


def test_a_month_of_five_minute_datapoints_takes_one_call(account: Account) -> None:
    report(account, 120)

    with counted_calls("cloudwatch") as calls:
        answer = account.invoke("store_metric_data", event("training"))

    assert (answer["rows"], calls) == (8_640, ["GetMetricData"])


def test_training_ends_where_the_first_window_by_need_begins(account: Account) -> None:
    report(account, 600, NEWEST - timedelta(days=7))
    payload = training_event()
    payload["run"]["by_need"] = True

    answer = account.invoke("store_metric_data", payload)

    assert answer["end"] == "2026-10-26T03:45:00Z"


def test_training_never_sees_what_is_not_yet_published(trained: Account) -> None:
    report(trained, 900)
    trained.registry.advance_watermark(DETECTOR, NEWEST - timedelta(days=2))

    answer = trained.invoke("store_metric_data", training_event())

    assert answer["end"] == "2026-10-31T03:45:00Z"


def test_rows_are_split_into_a_file_for_each_instance(trained: Account) -> None:
    report(trained, 300)

    answer = trained.invoke("store_metric_data", EVENT, TRAINING_INSTANCE_COUNT="3")

    files = [key for key in trained.keys(answer["prefix"]) if "/rows/" in key]
    lines = [len(trained.store.read(key).splitlines()) for key in files]
    assert (answer["files"], lines) == (3, [100, 100, 100])


def test_shingles_reach_back_before_the_window_but_are_not_of_it(account: Account) -> None:
    report(account, 310)
    detector = event(shingle_size=4)["detector"]
    model = a_model("shingled", a_detector(**detector | {"cutoff": {}}), shingle_size=4)
    account.registry.add_model(DETECTOR, model)

    answer = account.invoke("store_metric_data", event(shingle_size=4))

    [first, *_] = account.store.read(f"{answer['prefix']}rows/part-00000.csv").split()
    assert answer["rows"] == 300
    assert first.count(",") == 3
    timestamps = account.store.read(f"{answer['prefix']}timestamps.csv").split()
    assert (
        datetime.fromtimestamp(int(timestamps[0]), UTC).isoformat() == "2026-11-01T02:45:00+00:00"
    )


def test_gaps_are_kept_as_gaps(trained: Account) -> None:
    model = a_model(
        detector=a_detector(**event(missing_data="ignore")["detector"] | {"cutoff": {}})
    )
    trained.registry.add_model(DETECTOR, model)
    start = NEWEST - timedelta(minutes=25)
    trained.put_metric("AWS/Lambda", "Invocations", start, [1.0, None, None, 4.0, 5.0])

    answer = trained.invoke("store_metric_data", event(missing_data="ignore"))

    description = trained.store.read_json(f"{answer['prefix']}description.json")
    assert answer["rows"] == 3
    assert description["values"][-5:] == [1.0, None, None, 4.0, 5.0]


def test_the_dataset_says_how_it_was_made(trained: Account) -> None:
    report(trained, 300)

    prefix = trained.invoke("store_metric_data", EVENT)["prefix"]

    description = json.loads(trained.store.read(f"{prefix}description.json"))
    assert description["detector"] == EVENT["detector"]
    assert description["cutoff"] == MODEL.cutoff
    assert (description["model"], description["cutoff_method"]) == (MODEL.name, "training")
    assert (description["reported"], description["constant"]) == (300, False)


def outcome(account: Account, payload: dict[str, Any]) -> tuple[str, str]:
    answer = account.invoke("store_metric_data", payload)["outcome"]
    return answer["status"], answer["message"]


def test_a_metric_that_does_not_exist_is_an_outcome_that_names_it(account: Account) -> None:
    status, message = outcome(account, training_event(dimensions={"FunctionName": "nobody"}))

    assert status == "NO_DATA"
    assert "knows no metric AWS/Lambda Invocations (FunctionName=nobody), Sum" in message


def test_a_metric_without_datapoints_in_the_window_is_another_outcome(account: Account) -> None:
    report(account, 5, NEWEST - timedelta(days=3))

    status, message = outcome(account, training_event())

    assert status == "NO_DATA"
    assert message.startswith("CloudWatch has no datapoints of AWS/Lambda Invocations, Sum")


def test_too_little_history_is_an_outcome_that_says_how_much_is_needed(account: Account) -> None:
    report(account, 99)

    status, message = outcome(account, training_event(missing_data="ignore"))

    assert status == "TOO_LITTLE_HISTORY"
    assert "99 complete rows from 99 datapoints" in message
    assert "training needs 100" in message


def test_nothing_new_is_an_outcome(trained: Account) -> None:
    trained.registry.advance_watermark(DETECTOR, NEWEST)

    assert outcome(trained, EVENT) == ("UP_TO_DATE", "nothing new since 2026-11-02T03:45:00Z")


def test_without_a_model_the_outcome_is_why_training_gave_none(account: Account) -> None:
    reason = an_outcome(DETECTOR, "TOO_LITTLE_HISTORY", "99 complete rows")
    run = "training-20261102T040000Z-by-need"
    account.registry.record_outcome(run, SCHEDULED, reason)

    assert outcome(account, EVENT) == ("TOO_LITTLE_HISTORY", "no model yet: 99 complete rows")


def test_without_a_model_and_without_a_reason_the_detector_has_failed(account: Account) -> None:
    status, message = outcome(account, EVENT)

    assert status == "FAILED"
    assert "training-20261102T040000Z-by-need left no outcome" in message


def test_a_model_of_another_recipe_is_not_used(trained: Account) -> None:
    report(trained, 300)

    assert outcome(trained, event(statistic="Average"))[0] == "FAILED"


@pytest.mark.parametrize(("policy", "status"), [("ignore", "NO_DATA"), ("anomalous", None)])
def test_silence_is_no_data_unless_the_detector_watches_for_it(
    account: Account, policy: str, status: str | None
) -> None:
    detector = a_detector(**event(missing_data=policy)["detector"] | {"cutoff": {}})
    account.registry.add_model(DETECTOR, a_model(detector=detector))

    answer = account.invoke("store_metric_data", event(missing_data=policy))

    assert (answer["outcome"] or {}).get("status") == status
    assert answer.get("rows", 0) == 0


def test_the_answer_stays_small_however_much_data_there_is(account: Account) -> None:
    report(account, 200)

    answer = account.invoke("store_metric_data", event("training"))

    assert len(json.dumps(answer)) < 1_000
