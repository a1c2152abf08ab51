"""A local AWS per module of tests."""

from collections.abc import Iterator

import pytest

from localaws import LocalAws
from tests.support.shared_api_models import share_api_models

share_api_models()


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as running:
        yield running
