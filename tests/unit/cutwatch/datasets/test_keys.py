import re
from datetime import UTC, datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cutwatch.aws.limits import SAGEMAKER_NAME_MAX_LENGTH, SAGEMAKER_NAME_PATTERN
from cutwatch.datasets.keys import (
    dataset_digest,
    dataset_prefix,
    job_name,
    model_prefix,
    run_id,
    run_prefix,
    scores_prefix,
)
from tests.support.builders import a_detector

SCHEDULED = datetime(2026, 11, 1, 3, tzinfo=UTC)

prefixes = st.from_regex(r"[a-z0-9](-?[a-z0-9]){0,19}", fullmatch=True)
detectors = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True)
digests = st.from_regex(r"[0-9a-f]{8}", fullmatch=True)
attempts = st.integers(1, 20)


@given(prefixes, detectors, digests, attempts)
def test_every_name_is_one_that_sagemaker_takes(
    prefix: str, detector: str, digest: str, attempt: int
) -> None:
    name = job_name(prefix, detector, SCHEDULED, digest, attempt)

    assert re.fullmatch(SAGEMAKER_NAME_PATTERN, name)
    assert len(name) <= SAGEMAKER_NAME_MAX_LENGTH


@given(prefixes, detectors, digests, attempts)
def test_every_name_begins_with_the_prefix_that_permissions_are_scoped_to(
    prefix: str, detector: str, digest: str, attempt: int
) -> None:
    assert job_name(prefix, detector, SCHEDULED, digest, attempt).startswith(f"{prefix}-")


@given(prefixes, detectors, digests, attempts)
def test_the_same_input_gives_the_same_name(
    prefix: str, detector: str, digest: str, attempt: int
) -> None:
    names = {job_name(prefix, detector, SCHEDULED, digest, attempt) for _ in range(2)}
    assert len(names) == 1


@given(detectors, detectors, st.lists(digests, min_size=2, max_size=2, unique=True), attempts)
def test_another_digest_gives_another_name_however_names_are_shortened(
    one: str, other: str, two_digests: list[str], attempt: int
) -> None:
    first, second = two_digests
    assert job_name("cutwatch", one, SCHEDULED, first, attempt) != job_name(
        "cutwatch", other, SCHEDULED, second, attempt
    )


@given(detectors, digests, st.lists(attempts, min_size=2, max_size=2, unique=True))
def test_another_attempt_gives_another_name(detector: str, digest: str, two: list[int]) -> None:
    names = {job_name("cutwatch", detector, SCHEDULED, digest, attempt) for attempt in two}
    assert len(names) == 2


def test_a_name_says_what_it_is_of() -> None:
    name = job_name("cutwatch", "Checkout_Errors", SCHEDULED, "0a1b2c3d", 1)
    assert name == "cutwatch-checkout-errors-202611010300-0a1b2c3d-1"


@pytest.mark.parametrize(
    "other",
    [
        ("other-bucket", a_detector(), "training", "a", "b"),
        ("bucket", a_detector("refunds"), "training", "a", "b"),
        ("bucket", a_detector(statistic="Average"), "training", "a", "b"),
        ("bucket", a_detector(), "transform", "a", "b"),
        ("bucket", a_detector(), "training", "0", "b"),
        ("bucket", a_detector(), "training", "a", "c"),
    ],
)
def test_a_digest_tells_apart_stack_detector_recipe_purpose_and_window(
    other: tuple[str, object, str, str, str],
) -> None:
    assert dataset_digest("bucket", a_detector(), "training", "a", "b") != dataset_digest(*other)  # type: ignore[arg-type]


def test_runs_are_named_after_kind_time_and_need() -> None:
    assert run_id("transform", SCHEDULED) == "transform-20261101T030000Z"
    assert run_id("training", SCHEDULED, by_need=True) == "training-20261101T030000Z-by-need"


@given(detectors, detectors)
def test_no_detectors_objects_lie_below_anothers(one: str, other: str) -> None:
    assume(one != other)
    for prefix in (model_prefix, lambda name: scores_prefix(name, "job")):
        assert not prefix(one).startswith(prefix(other))


def test_objects_lie_below_the_prefixes_that_lifecycle_rules_and_permissions_know() -> None:
    assert run_prefix("transform-1") == "runs/transform-1/"
    assert model_prefix("orders") == "models/orders/"
    assert scores_prefix("orders", "job") == "scores/orders/job/"
    assert (
        dataset_prefix("orders", SCHEDULED, "training", "0a1b2c3d")
        == "data/orders/20261101T030000Z-training-0a1b2c3d/"
    )
