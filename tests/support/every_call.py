"""A fleet that makes the application do all that it can do, and what of its permissions that took."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from cutwatch.aws.s3 import Bucket
from localaws import Fault
from localaws.calls import Call
from localaws.iam.permissions import Use
from tests.support.fleet import (
    FIRST_TRANSFORM,
    Fleet,
    detector,
    fleet,
    with_spike,
)
from tests.support.widgets import Dashboard

if TYPE_CHECKING:
    from cutwatch.detectors.detector import Detector

CHECKOUT = detector("checkout")
ORDERS = detector("orders", engine="lambda")
SILENT = detector("silent", engine="lambda")
STATES = "states.amazonaws.com"
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
DENIALS = ("AccessDenied", "AccessDeniedException", "AuthorizationError", "States.Permissions")


@dataclass(frozen=True)
class Template:
    """An entry of detectors.yaml that stands for many detectors."""

    entry: Mapping[str, Any]

    def to_payload(self) -> Mapping[str, Any]:
        return self.entry


QUEUES = Template(
    {
        "name": "queue",
        "for_each": "Queue",
        "namespace": "Shop",
        "metric": "Waiting",
        "statistic": "Average",
        "engine": "lambda",
    }
)


@dataclass(frozen=True)
class Account:
    """What the roles of a deployment are granted and what they used, roles by their logical ids."""

    granted: frozenset[Use]
    used: frozenset[Use]
    denied: tuple[Call, ...]

    @property
    def unused(self) -> frozenset[Use]:
        return self.granted - self.used


def account_of_everything(**parameters: str) -> Account:
    watched = [CHECKOUT, ORDERS, SILENT, cast("Detector", QUEUES)]
    with fleet(watched, MaxConcurrency="2", FirstWindowDays="3", **parameters) as shop:
        for each in (CHECKOUT, ORDERS):
            shop.load(each, with_spike(FIRST_TRANSFORM - 2 * DAY))
        _train_on_demand(shop)
        _supersede(shop)
        _lose_what_is_needed(shop)
        _end_jobs_badly(shop)
        _wait_for_quotas(shop)
        _lose_the_list(shop)
        _fail_to_list(shop)
        shop.check_freshness(FIRST_TRANSFORM + 6 * DAY)
        _look_at_the_dashboard(shop)
        return _account(shop)


def _train_on_demand(shop: Fleet) -> None:
    shop.transform(FIRST_TRANSFORM)
    shop.transform(FIRST_TRANSFORM)


def _supersede(shop: Fleet) -> None:
    """The models and states of two trainings and some transforms ago go, and so does what left the file."""
    model = shop.registry.detectors.get("checkout").models[0]
    shop.registry.detectors.add_model("retired", replace(model, name="cutwatch-retired"))
    for days in (1, 2):
        shop.train(FIRST_TRANSFORM + days * DAY)
    for hours in range(1, 4):
        shop.transform(FIRST_TRANSFORM + 2 * DAY + hours * HOUR)


def _lose_what_is_needed(shop: Fleet) -> None:
    """A model, a recipe, a state and rows that somebody deleted."""
    now = FIRST_TRANSFORM + 4 * DAY
    bucket = Bucket(shop.aws.client("s3"), shop.stack.outputs["DataBucketName"])
    record = shop.registry.detectors.get("orders")
    assert record.carried is not None
    bucket.delete(record.carried.newest)
    shop.aws.client("sagemaker").delete_model(
        ModelName=shop.registry.detectors.get("checkout").models[0].name
    )
    shop.transform(now)
    bucket.delete(shop.registry.detectors.get("orders").models[0].recipe)
    shop.transform(now + 2 * HOUR)
    shop.train(now + 3 * HOUR)
    _delete_rows(bucket, "data/orders/")
    shop.train(now + 3 * HOUR)


def _lose_the_list(shop: Fleet) -> None:
    """A Map that cannot read its list: none of its detectors records an outcome, so the run does."""
    shop.aws.faults.add(Fault.throttling("s3", "GetObject", caller=STATES))
    shop.transform(FIRST_TRANSFORM + 6 * DAY)
    shop.aws.faults.clear()


def _end_jobs_badly(shop: Fleet) -> None:
    """Jobs that hang are stopped, and what they wrote that does not fit is recorded as a failure."""
    now = FIRST_TRANSFORM + 5 * DAY
    shop.aws.sagemaker.hang(lambda _: True, times=1)
    shop.train(now)
    for hours, befalls in enumerate((shop.aws.sagemaker.hang, shop.aws.sagemaker.lose_output), 1):
        befalls(_second_job())
        shop.train(now + hours * HOUR)
        shop.aws.sagemaker.forget()
    shop.aws.sagemaker.hang(lambda _: True, times=1)
    shop.transform(now + 4 * HOUR)
    shop.aws.sagemaker.lose_output(lambda _: True, times=1)
    shop.transform(now + 5 * HOUR)


def _wait_for_quotas(shop: Fleet) -> None:
    """Two busy quotas that are free at the second try, and one that never is."""
    now = FIRST_TRANSFORM + 5 * DAY + 12 * HOUR
    for operation, tries, run in (
        ("CreateTrainingJob", 1, shop.train),
        ("CreateTransformJob", 1, shop.transform),
        ("CreateTransformJob", None, shop.transform),
    ):
        busy = Fault("sagemaker", operation, error="ResourceLimitExceeded", times=tries)
        with shop.aws.faults.during(busy):
            run(now)
        now += HOUR


def _second_job() -> Callable[[str], bool]:
    """Of a training, the job that scores what the first one learned."""
    jobs = iter([False, True])
    return lambda _: next(jobs, False)


def _delete_rows(bucket: Bucket, prefix: str) -> None:
    """Of complete datasets: what is complete is not written again."""
    pages = bucket.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket.name, Prefix=prefix)
    for key in [found["Key"] for page in pages for found in page["Contents"]]:
        if key.endswith("/rows.npz"):
            bucket.delete(key)


def _fail_to_list(shop: Fleet) -> None:
    for machine in ("TrainingStateMachine", "TransformStateMachine"):
        shop.stack.start(machine, {"detectors": ["chekout"]}).wait()


def _look_at_the_dashboard(shop: Fleet) -> None:
    looked_at = Dashboard(shop)
    for name in ("checkout", None, "chekout"):
        looked_at.draw(name)


def _account(shop: Fleet) -> Account:
    roles = {
        physical: logical
        for logical, physical in shop.stack.resources.items()
        if logical.endswith("Role")
    }
    permissions = shop.aws.permissions
    granted = [use for role in roles for use in permissions.granted(role)]
    return Account(
        frozenset(replace(use, role=roles[use.role]) for use in granted),
        frozenset(replace(use, role=roles[use.role]) for use in permissions.uses),
        tuple(call for call in shop.aws.calls if call.error_code in DENIALS),
    )
