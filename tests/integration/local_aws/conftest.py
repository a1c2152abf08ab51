"""A local AWS per module of tests."""

from collections.abc import Iterator

import pytest

from localaws import LocalAws


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as running:
        yield running
