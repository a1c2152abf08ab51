"""What tests share: API models in a process, deployments in a module."""

from collections.abc import Iterator

import pytest

from tests.support.shared_api_models import share_api_models
from tests.support.shared_fleets import end_sharing

share_api_models()


@pytest.fixture(scope="module", autouse=True)
def _share_within_a_module() -> Iterator[None]:
    """Leave no local AWS to the next module: a process runs one at a time."""
    yield
    end_sharing()
