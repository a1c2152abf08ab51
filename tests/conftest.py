"""What every test may ask for: the resolved stack and an AWS account on moto."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.support.account import Account, open_account
from tests.support.stack import REGION, Stack

# Handlers read these when they are imported; credentials are set so that no test can reach a real account.
os.environ.update(
    AWS_ACCESS_KEY_ID="testing",
    AWS_SECRET_ACCESS_KEY="testing",
    AWS_SESSION_TOKEN="testing",
    AWS_DEFAULT_REGION=REGION,
    POWERTOOLS_METRICS_NAMESPACE="Cutwatch/Operations",
    POWERTOOLS_TRACE_DISABLED="1",
)

# How long an example takes says more about the machine than about the code.
settings.register_profile("cutwatch", deadline=None)
settings.load_profile("cutwatch")


@pytest.fixture(scope="session")
def stack() -> Stack:
    """The template with every parameter at its default."""
    return Stack()


@pytest.fixture(scope="session")
def impatient_stack() -> Stack:
    """The template, but for the pauses between two looks at a job."""
    return Stack(PollSeconds="0")


@pytest.fixture
def account(impatient_stack: Stack) -> Iterator[Account]:
    """An account of its own for each test, in which nothing is done that the template's roles do not allow."""
    with open_account(impatient_stack) as opened:
        yield opened


def pytest_configure(config: pytest.Config) -> None:
    """pytest sets the filters of observability.py aside."""
    config.addinivalue_line("filterwarnings", "ignore:No application metrics to publish")
