import re
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from cutwatch.aws.limits import SAGEMAKER_NAME_MAX_LENGTH, SAGEMAKER_NAME_PATTERN
from cutwatch.sagemaker.names import job_name

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
