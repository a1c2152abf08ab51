"""Detectors inside Lambda of which some fail, each alone, while the others of their batch finish."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Literal

import pytest

from cutwatch.aws.s3 import Bucket
from cutwatch.registry.run import run_id
from localaws import Fault
from tests.support.child_states import PUBLISHED_INSIDE_LAMBDA, TRAINED_INSIDE_LAMBDA
from tests.support.fleet import FIRST_TRAINING, PERIOD, Fleet, detector, usual
from tests.support.shared_fleets import shared_fleet

DAY = timedelta(days=1)
NEXT_DAY = FIRST_TRAINING + DAY
LATER = FIRST_TRAINING + 2 * DAY
# Two days are the shortest history of which a forest learns at this period.
SHORT: Any = {"engine": "lambda", "history_days": 2}
FIVE = [detector(name, **SHORT) for name in ("checkout", "orders", "returns", "stock", "visits")]


@contextmanager
def five() -> Iterator[Fleet]:
    with shared_fleet(FIVE, FirstWindowDays="1") as shop:
        for watched in FIVE:
            shop.load(watched, usual())
        yield shop


def _throttled(service: str, operation: str, when: Any) -> Fault:
    codes = {"s3": ("SlowDown", 503), "dynamodb": ("ProvisionedThroughputExceededException", 400)}
    code, status = codes.get(service, ("ThrottlingException", 400))
    return Fault(service, operation, error=code, status=status, when=when)


def _of_key(prefix: str) -> Any:
    return lambda parameters: str(parameters.get("Key", "")).startswith(prefix)


def _of_item(sort_key: str) -> Any:
    return lambda parameters: parameters.get("Key", {}).get("sk", {}).get("S") == sort_key


def _of_metric(name: str) -> Any:
    def concerns(parameters: Mapping[str, Any]) -> bool:
        queries = parameters["MetricDataQueries"]
        return any(each["MetricStat"]["Metric"]["MetricName"] == name for each in queries)

    return concerns


def _of_detector(name: str) -> Any:
    def concerns(parameters: Mapping[str, Any]) -> bool:
        dimensions = parameters["MetricData"][0].get("Dimensions", [])
        return {"Name": "Detector", "Value": name} in dimensions

    return concerns


FOR_EVER: dict[Literal["training", "transform"], dict[str, Fault]] = {
    "training": {
        # Its history is not read.
        "orders": _throttled("cloudwatch", "GetMetricData", _of_metric("orders")),
        # Its history is not stored.
        "returns": _throttled("s3", "PutObject", _of_key("data/returns/")),
        # Its forest is not stored.
        "stock": _throttled("s3", "PutObject", _of_key("models/stock/")),
        # Its model is not registered.
        "visits": _throttled("dynamodb", "UpdateItem", _of_item("visits")),
    },
    "transform": {
        # Its window is not read.
        "orders": _throttled("cloudwatch", "GetMetricData", _of_metric("orders")),
        # Its scores are not stored.
        "returns": _throttled("s3", "PutObject", _of_key("scores/returns/")),
        # It is not published.
        "stock": _throttled("cloudwatch", "PutMetricData", _of_detector("stock")),
        # Its watermark does not move.
        "visits": _throttled("dynamodb", "UpdateItem", _of_item("visits")),
    },
}


@pytest.mark.slow
def test_batches_go_through_their_states_in_order_with_one_call_for_a_window_and_no_job() -> None:
    with five() as shop:
        training = shop.train()
        assert shop.aws.calls.count("cloudwatch.GetMetricData") == 1
        transform = shop.transform(NEXT_DAY)
        assert [child.states for child in training.children] == [TRAINED_INSIDE_LAMBDA]
        assert [child.states for child in transform.children] == [PUBLISHED_INSIDE_LAMBDA]
        assert transform.wait().output["statuses"] == {"PUBLISHED": 5}
        assert shop.aws.calls.of("sagemaker") == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", FOR_EVER)
def test_detectors_that_are_throttled_for_ever_fail_alone_and_the_next_run_catches_them_up(
    kind: Literal["training", "transform"],
) -> None:
    throttled = FOR_EVER[kind]
    with five() as shop:
        # CloudWatch's clients measure their rate by the clock, which was put back since they began.
        shop.aws.cool_down()
        if kind == "transform":
            shop.train()
        at = FIRST_TRAINING if kind == "training" else NEXT_DAY
        for fault in throttled.values():
            shop.aws.faults.add(fault)

        ended = (shop.train(at) if kind == "training" else shop.transform(at)).wait()

        done = "TRAINED" if kind == "training" else "PUBLISHED"
        assert ended.status == "SUCCEEDED"
        assert ended.output["statuses"] == {done: 1, "FAILED": 4}
        for name, fault in throttled.items():
            message = shop.outcome(kind, at, name).message
            assert message.startswith("Throttled: ")
            assert fault.operation in message
        shop.aws.faults.clear()
        assert shop.transform(LATER).wait().output["statuses"] == {"PUBLISHED": 5}
        assert {shop.registry.detectors.get(each.name).published_through for each in FIVE} == {
            LATER
        }
        # One that had no model yet begins as far back as FirstWindowDays says.
        unpublished = set(throttled) if kind == "training" else set()
        for each in FIVE:
            published = shop.maxima("Anomaly", each.name, LATER)
            days = 1 if each.name in unpublished else 2
            assert len(published) == days * DAY // timedelta(seconds=PERIOD)


@pytest.mark.slow
def test_of_a_batch_that_is_throttled_for_ever_each_detector_has_its_own_reason() -> None:
    with five() as shop:
        shop.aws.faults.add(_throttled("s3", "PutObject", _of_key("data/")))

        ended = shop.train().wait()

        assert (ended.status, ended.error) == ("FAILED", "AllDetectorsFailed")
        for each in FIVE:
            message = shop.outcome("training", FIRST_TRAINING, each.name).message
            assert message.startswith("Throttled: PutObject: ")


FLEET = [detector(f"m{n}", **SHORT) for n in range(10)]


@pytest.mark.slow
def test_of_ten_detectors_five_fail_each_in_its_own_way_and_five_finish() -> None:
    """Each fails in a batch of its own, of five; one call reads the history of a batch."""
    with shared_fleet(FLEET, BatchSize="2", LambdaConcurrency="2") as shop:
        for watched in FLEET:
            shop.load(watched, usual())
        trained = shop.train().wait()
        assert trained.output["statuses"] == {"TRAINED": 10}
        assert shop.aws.calls.count("cloudwatch.GetMetricData") == 5
        bucket = Bucket(shop.aws.client("s3"), shop.stack.outputs["DataBucketName"])
        models = {name: shop.registry.detectors.get(name).models[0] for name in ("m0", "m2", "m4")}
        bucket.delete(models["m0"].recipe)
        bucket.delete(models["m2"].checkpoint or "")
        bucket.write(models["m4"].checkpoint or "", "no state")
        shop.aws.faults.add(_denied("s3", "PutObject", "scores/m6/"))
        shop.aws.faults.add(_denied("s3", "GetObject", "data/m8/"))

        ended = shop.transform(NEXT_DAY).wait()

        assert ended.status == "SUCCEEDED"
        assert ended.output["statuses"] == {"PUBLISHED": 5, "FAILED": 5}
        reasons = {
            each["detector"]: each["reason"].split(":")[0] for each in ended.output["failures"]
        }
        assert reasons == {
            "m0": "ModelMissing",
            "m2": "ModelMissing",
            "m4": "ModelMissing",
            "m6": "AccessDenied",
            "m8": "AccessDenied",
        }
        outcomes = shop.registry.outcomes.of_run(run_id("transform", NEXT_DAY))
        assert Counter(each.status for each in outcomes) == {"PUBLISHED": 5, "FAILED": 5}
        assert len(json.dumps(ended.output)) < 10_000


def _denied(service: str, operation: str, key: str) -> Fault:
    def concerns(parameters: Mapping[str, Any]) -> bool:
        return str(parameters.get("Key", "")).startswith(key)

    return Fault(service, operation, error="AccessDenied", status=403, when=concerns)
