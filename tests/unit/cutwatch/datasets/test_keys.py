from datetime import UTC, datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cutwatch.datasets.keys import dataset_digest, dataset_prefix, model_prefix, scores_prefix
from tests.support.builders import a_detector

SCHEDULED = datetime(2026, 11, 1, 3, tzinfo=UTC)

prefixes = st.from_regex(r"[a-z0-9](-?[a-z0-9]){0,19}", fullmatch=True)
detectors = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True)
digests = st.from_regex(r"[0-9a-f]{8}", fullmatch=True)
attempts = st.integers(1, 20)


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


@given(detectors, detectors)
def test_no_detectors_objects_lie_below_anothers(one: str, other: str) -> None:
    assume(one != other)
    for prefix in (model_prefix, lambda name: scores_prefix(name, "job")):
        assert not prefix(one).startswith(prefix(other))


def test_objects_lie_below_the_prefixes_that_lifecycle_rules_and_permissions_know() -> None:
    assert model_prefix("orders") == "models/orders/"
    assert scores_prefix("orders", "job") == "scores/orders/job/"
    assert (
        dataset_prefix("orders", SCHEDULED, "training", "0a1b2c3d")
        == "data/orders/20261101T030000Z-training-0a1b2c3d/"
    )
