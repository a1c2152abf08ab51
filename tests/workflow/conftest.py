"""The end of deployments that tests share."""

from collections.abc import Iterator

import pytest

from tests.support.shared_fleets import end_sharing


@pytest.fixture(scope="module", autouse=True)
def _share_within_a_module() -> Iterator[None]:
    """Leave no local AWS to the next module: a process runs one at a time."""
    yield
    end_sharing()
