"""Apache Kafka itself, which `make kafka` fetches, and a local AWS beside it."""

import os
import shutil
from collections.abc import Iterator

import pytest

from localaws import LocalAws
from localaws.kafka.broker import KafkaBroker
from tests.support.project import PROJECT

JARS = PROJECT / "build" / "kafka"


def demand_kafka() -> None:
    """Skip the test where Kafka cannot run; fail it in CI."""
    missing = [name for name, found in (("Java", shutil.which("java")), ("build/kafka", JARS.exists())) if not found]  # fmt: skip
    if missing and os.environ.get("CI"):
        pytest.fail(f"{' and '.join(missing)} missing in CI; run make kafka")
    if missing:
        pytest.skip(f"{' and '.join(missing)} missing: Kafka is tested by make kafka")


@pytest.fixture(scope="session")
def broker() -> Iterator[KafkaBroker]:
    demand_kafka()
    with KafkaBroker(JARS) as running:
        yield running


@pytest.fixture(scope="session")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as running:
        yield running
