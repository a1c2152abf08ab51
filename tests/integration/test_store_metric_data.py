"""Store Metric Data turns datapoints into a dataset, or says why there is nothing to do."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest

from cutwatch.aws.clients import client
from cutwatch.datasets.insufficient_data import MINIMUM_TRAINING_ROWS
from cutwatch.detectors.detector import Detector
from cutwatch.features.recipe import FeatureRecipe
from cutwatch.registry.outcome import Outcome
from cutwatch.timestamps import parse_timestamp
from tests.support.account import Account
from tests.support.builders import a_model, a_recipe, an_outcome
from tests.support.client_events import counted_calls
from tests.support.sample_events import sample

EVENT = sample("store_metric_data")
DETECTOR = EVENT["detectors"][0]["name"]
SCHEDULED = datetime(2026, 11, 2, 4, tzinfo=UTC)
# 04:00 less the 15 minutes that late datapoints are given.
NEWEST = SCHEDULED - timedelta(minutes=15)
# Where the models of these tests were trained up to.
SINCE = datetime(2026, 11, 1, 2, 45, tzinfo=UTC)
MODEL_NAME = sample("start_transform_job")["model"]
WINDOW = {"method": "window", "sigmas": None}


@pytest.fixture(autouse=True)
def _short_histories() -> Iterator[None]:
    """Let a hundred rows be enough."""
    with patch.dict(MINIMUM_TRAINING_ROWS, sagemaker=100):
        yield


def event(kind: str = "transform", **detector: Any) -> dict[str, Any]:
    """The sample, for either kind of run and with some of the detector's fields changed."""
    payload = sample("store_metric_data")
    payload["run"] = payload["run"] | {"kind": kind, "id": f"{kind}-20261102T040000Z"}
    payload["detectors"][0] |= detector
    return payload


def training_event(**detector: Any) -> dict[str, Any]:
    """One day of history is enough, and quickly read."""
    return event("training", **({"history_days": 1} | detector))


def report(account: Account, count: int, end: datetime = NEWEST) -> list[float]:
    """Let the metric have reported `count` datapoints up to `end`."""
    values = [100.0 + position for position in range(count)]
    account.put_metric("AWS/Lambda", "Invocations", end - timedelta(minutes=5 * count), values)
    return values


def train(account: Account, recipe: FeatureRecipe | None = None, **fields: Any) -> None:
    """Let the detector of `event(**fields)` have a model."""
    detector = Detector.from_payload(event(**fields)["detectors"][0])
    account.register_model(DETECTOR, a_model(MODEL_NAME, detector), recipe or a_recipe())


def store(account: Account, payload: dict[str, Any], **environment: str) -> dict[str, Any]:
    """The one dataset that is stored."""
    [dataset] = account.invoke("store_metric_data", payload, **environment)["datasets"]
    stored: dict[str, Any] = dataset
    return stored


def description_of(account: Account, answer: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = account.store.read_json(f"{answer['prefix']}description.json")
    return found


def rows_of(account: Account, answer: dict[str, Any]) -> list[list[float]]:
    rows = account.store.read(f"{answer['prefix']}rows/part-00000.csv").split()
    return [[float(cell) for cell in row.split(",")] for row in rows]


def times_of(account: Account, answer: dict[str, Any]) -> list[datetime]:
    lines = account.store.read(f"{answer['prefix']}timestamps.csv").split()
    return [datetime.fromtimestamp(int(line), UTC) for line in lines]


@pytest.fixture
def trained(account: Account) -> Account:
    train(account)
    return account


def test_a_transform_stores_what_happened_since_its_model_was_trained(trained: Account) -> None:
    report(trained, 300)

    answer = store(trained, EVENT)

    described = sample("start_transform_job")["data"]
    assert answer == described | {"dimensions": 1, "rows": answer["rows"]}


def test_rows_and_timestamps_are_the_datapoints(trained: Account) -> None:
    values = report(trained, 300)

    answer = store(trained, EVENT)

    prefix, in_window = answer["prefix"], slice(-300, None)
    assert trained.keys(prefix) == [
        f"{prefix}description.json",
        f"{prefix}rows/part-00000.csv",
        f"{prefix}timestamps.csv",
    ]
    assert rows_of(trained, answer)[in_window] == [[value] for value in values]
    times = times_of(trained, answer)[in_window]
    assert (times[0], times[-1]) == (SINCE, NEWEST - timedelta(minutes=5))


def test_a_window_is_judged_by_the_thirty_days_before_it(trained: Account) -> None:
    report(trained, 300)

    answer = store(trained, EVENT)

    assert times_of(trained, answer)[0] == SINCE - timedelta(days=30)
    assert description_of(trained, answer)["start"] == "2026-11-01T02:45:00Z"


def test_nothing_is_filled_before_a_metric_began(account: Account) -> None:
    report(account, 300)
    train(account, a_recipe(first=int(SINCE.timestamp())))

    answer = store(account, EVENT)

    assert (answer["rows"], times_of(account, answer)[0]) == (300, SINCE)


def test_a_second_time_finds_the_dataset_and_reads_nothing_again(trained: Account) -> None:
    report(trained, 300)
    first = store(trained, EVENT)
    report(trained, 10)

    with counted_calls("cloudwatch") as calls:
        assert store(trained, EVENT) == first
    assert calls == []


@pytest.mark.slow
def test_a_month_of_five_minute_datapoints_takes_one_call(account: Account) -> None:
    report(account, 8_640)

    with counted_calls("cloudwatch") as calls:
        answer = store(account, event("training"))

    assert (answer["rows"], calls) == (8_640, ["GetMetricData"])


def test_training_ends_where_the_first_window_begins_on_demand(account: Account) -> None:
    report(account, 600, NEWEST - timedelta(days=7))
    payload = training_event()
    payload["run"]["on_demand"] = True

    answer = store(account, payload)

    assert description_of(account, answer)["end"] == "2026-10-26T03:45:00Z"


def test_training_never_sees_what_is_not_yet_published(trained: Account) -> None:
    report(trained, 900)
    trained.registry.detectors.advance(DETECTOR, NEWEST - timedelta(days=2), "run", None, None)

    answer = store(trained, training_event())

    assert description_of(trained, answer)["end"] == "2026-10-31T03:45:00Z"


def test_rows_are_split_into_a_file_for_each_instance(account: Account) -> None:
    report(account, 300)
    train(account, cutoff=WINDOW)

    payload = event(cutoff=WINDOW)
    answer = store(account, payload, TRAINING_INSTANCE_COUNT="3")

    files = [key for key in account.keys(answer["prefix"]) if "/rows/" in key]
    lines = [len(account.store.read(key).splitlines()) for key in files]
    assert (answer["files"], lines) == (3, [2_980, 2_980, 2_980])


def test_rows_are_made_by_the_models_recipe_whatever_the_configuration_says_by_then(
    account: Account,
) -> None:
    report(account, 310)
    recipe = a_recipe(features=("value", "difference"), spreads=(2.0, 0.5), shingle_size=4)
    train(account, recipe, cutoff=WINDOW)

    answer = store(account, event(cutoff=WINDOW))

    # The window's first datapoint is 110; each is one more than the one before it.
    first = times_of(account, answer).index(SINCE)
    assert rows_of(account, answer)[first] == [53.5, 2.0, 54.0, 2.0, 54.5, 2.0, 55.0, 2.0]
    assert (answer["dimensions"], answer["rows"]) == (8, 300 + first)


def test_a_recipe_that_is_gone_takes_its_model_out_of_the_registry(trained: Account) -> None:
    recipe = trained.registry.detectors.get(DETECTOR).models[0].recipe
    client("s3").delete_object(Bucket=trained.bucket, Key=recipe)

    assert outcome(trained, EVENT)[0] == "FAILED"
    assert "the next transform trains a new one" in outcome_of_run(trained, EVENT).message
    assert trained.registry.detectors.get(DETECTOR).models == ()


def test_training_learns_a_recipe_from_its_own_history(account: Account) -> None:
    report(account, 300)

    prefix = store(account, training_event())["prefix"]

    recipe = FeatureRecipe.from_payload(
        account.store.read_json(f"{prefix}description.json")["recipe"]
    )
    assert recipe.features == ("difference",)
    series_start = account.store.read_json(f"{prefix}description.json")["series_start"]
    assert recipe.first == int(parse_timestamp(series_start).timestamp())


def test_excluded_times_are_neither_learned_from_nor_scored(account: Account) -> None:
    report(account, 300)
    night = [{"start": "00:00", "end": "03:45", "days": []}]
    train(account, cutoff=WINDOW, exclude=night)

    for payload in (training_event(exclude=night), event(cutoff=WINDOW, exclude=night)):
        answer = store(account, payload)
        assert all(time.hour >= 3 for time in times_of(account, answer))


def test_gaps_are_kept_as_gaps(account: Account) -> None:
    train(account, missing_data="ignore")
    start = NEWEST - timedelta(minutes=25)
    account.put_metric("AWS/Lambda", "Invocations", start, [1.0, None, None, 4.0, 5.0])

    answer = store(account, event(missing_data="ignore"))

    description = account.store.read_json(f"{answer['prefix']}description.json")
    assert answer["rows"] == 3
    assert description["values"][-5:] == [1.0, None, None, 4.0, 5.0]


def test_the_dataset_says_how_it_was_made_and_how_it_is_judged(trained: Account) -> None:
    report(trained, 300)

    prefix = store(trained, EVENT)["prefix"]

    description = trained.store.read_json(f"{prefix}description.json")
    [model] = trained.registry.detectors.get(DETECTOR).models
    assert description["detector"] == EVENT["detectors"][0]
    assert description["recipe"] == json.loads(json.dumps(a_recipe().to_payload()))
    assert (description["model"], description["reported"]) == (model.name, 300)
    assert description["cutoff"] == model.cutoff
    assert description["cutoff_method"] == "adaptive"


def outcome_of_run(account: Account, payload: dict[str, Any]) -> Outcome:
    recorded = account.registry.outcomes.get(payload["run"]["id"], DETECTOR)
    assert recorded is not None
    return recorded


def outcome(account: Account, payload: dict[str, Any]) -> tuple[str, str]:
    assert account.invoke("store_metric_data", payload) == {"datasets": [], "pending": 0, "rows": 0}
    recorded = outcome_of_run(account, payload)
    return recorded.status, recorded.message


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
    trained.registry.detectors.advance(DETECTOR, NEWEST, "run", None, None)

    assert outcome(trained, EVENT) == (
        "UP_TO_DATE",
        "nothing to publish since 2026-11-02T03:45:00Z",
    )


def test_a_window_too_old_to_publish_is_an_outcome_that_says_so(trained: Account) -> None:
    trained.registry.detectors.advance(DETECTOR, NEWEST - timedelta(days=1), "run", None, None)
    late = event()
    late["run"]["now"] = "2026-11-22T04:00:03Z"

    assert outcome(trained, late) == (
        "UP_TO_DATE",
        "nothing to publish: all from 2026-11-01T03:45:00Z to 2026-11-02T03:45:00Z is older than the 14 days that "
        "CloudWatch accepts",
    )


def test_a_history_that_cloudwatch_keeps_no_longer_is_an_outcome_that_says_so(
    account: Account,
) -> None:
    late = training_event() | {"now": "2027-01-11T04:00:03Z"}

    assert outcome(account, late) == (
        "TOO_LITTLE_HISTORY",
        "AWS/Lambda Invocations, Sum: CloudWatch keeps datapoints of 5 min for 63 days, and training ends before that, "
        "at 2026-11-02T03:45:00Z",
    )


def test_without_a_model_the_outcome_is_why_training_gave_none(account: Account) -> None:
    reason = an_outcome(DETECTOR, "TOO_LITTLE_HISTORY", "99 complete rows")
    run = "training-20261102T040000Z-on-demand"
    account.registry.outcomes.record(run, SCHEDULED, reason)

    assert outcome(account, EVENT) == ("TOO_LITTLE_HISTORY", "no model yet: 99 complete rows")


def test_without_a_model_and_without_a_reason_the_detector_has_failed(account: Account) -> None:
    status, message = outcome(account, EVENT)

    assert status == "FAILED"
    assert "training-20261102T040000Z-on-demand left no outcome" in message


def test_without_a_model_the_outcome_is_why_the_training_could_not_begin(account: Account) -> None:
    error = "StepFunctions.AWSStepFunctionsException"
    refused = {"Error": error, "Cause": "not authorized (Error Code: AccessDeniedException)"}

    status, message = outcome(account, EVENT | {"training": refused})

    assert status == "FAILED"
    assert f"on-demand failed: {error}: not authorized (Error Code: AccessDenied" in message


def test_a_model_of_another_recipe_is_not_used(trained: Account) -> None:
    report(trained, 300)

    assert outcome(trained, event(statistic="Average"))[0] == "FAILED"


@pytest.mark.parametrize(("policy", "status"), [("ignore", "NO_DATA"), ("anomalous", None)])
def test_silence_is_no_data_unless_the_detector_watches_for_it(
    account: Account, policy: str, status: str | None
) -> None:
    train(account, missing_data=policy)

    payload = event(missing_data=policy)
    answer = account.invoke("store_metric_data", payload)

    recorded = account.registry.outcomes.get(payload["run"]["id"], DETECTOR)
    assert (recorded and recorded.status) == status
    assert sum(dataset["rows"] for dataset in answer["datasets"]) == 0


def test_the_answer_stays_small_however_much_data_there_is(account: Account) -> None:
    report(account, 200)

    answer = store(account, event("training"))

    assert len(json.dumps(answer)) < 1_000
