"""Settings for the tests of all distributions."""

import os

import pytest
from hypothesis import settings

pytest_plugins = ["tests.support.processor_time"]

# boto3's clients need a region and credentials; with these, no test can reach a real account.
os.environ.update(
    AWS_ACCESS_KEY_ID="testing",
    AWS_SECRET_ACCESS_KEY="testing",
    AWS_SESSION_TOKEN="testing",
    AWS_DEFAULT_REGION="us-east-1",
    POWERTOOLS_METRICS_NAMESPACE="Cutwatch/Operations",
    POWERTOOLS_TRACE_DISABLED="1",
)

# How long an example takes says more about the machine than about the code.
settings.register_profile("dev", deadline=None, max_examples=25)
settings.register_profile("ci", deadline=None, max_examples=100)


def pytest_configure(config: pytest.Config) -> None:
    """Choose Hypothesis's profile, unless --hypothesis-profile does."""
    if not config.getoption("hypothesis_profile", None):
        settings.load_profile("ci" if os.environ.get("CI") else "dev")
    # pytest sets the filters of observability.py aside.
    config.addinivalue_line("filterwarnings", "ignore:No application metrics to publish")
