"""What every test may ask for: the resolved stack and an AWS account on moto."""

import os
from collections.abc import Iterator

import pytest

from tests.stack import FUNCTION, Stack

os.environ.update(
    AWS_ACCESS_KEY_ID="testing",
    AWS_SECRET_ACCESS_KEY="testing",
    AWS_SESSION_TOKEN="testing",
    AWS_DEFAULT_REGION="us-east-1",
    POWERTOOLS_TRACE_DISABLED="1",
    POWERTOOLS_METRICS_NAMESPACE="Cutwatch/Operations",
)
