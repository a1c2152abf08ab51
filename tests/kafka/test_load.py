"""The load of benchmarks/kafka_load.py in short: several topics and partitions, and members that are replaced meanwhile."""

from importlib import import_module

import pytest

from localaws.kafka.broker import KafkaBroker
from tests.support.project import PROJECT


@pytest.mark.slow
def test_nothing_is_lost_doubled_or_late_under_load_while_members_are_replaced(
    broker: KafkaBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(PROJECT / "benchmarks"))
    load = import_module("kafka_load").run(
        broker, partitions=3, minutes=2, per_minute=2_000, rebalance=60, topics=2
    )
    assert (load.sent, load.scored, load.rebalances) == (4_000, 4_000, 2)
    assert (load.late, load.lost, load.doubled) == (0, 0, 0)
