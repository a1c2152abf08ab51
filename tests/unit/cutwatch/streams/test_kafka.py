import json
from copy import deepcopy
from typing import Any

import pytest

from cutwatch.errors import InvalidInput
from cutwatch.streams.kafka import partial_response, records_of, topic_of
from cutwatch.streams.record import RawRecord
from tests.support.sample_events import sample

NOW = 1_795_900_000.0
MSK, SELF_MANAGED = sample("score_kafka"), sample("score_kafka.self_managed")


@pytest.mark.parametrize("event", [MSK, SELF_MANAGED], ids=["MSK", "self-managed"])
def test_records_have_partition_offset_key_headers_and_time(event: dict[str, Any]) -> None:
    records = records_of(event, NOW)

    assert [(each.lane, each.position) for each in records] == [
        ("shop-access-0", 41),
        ("shop-access-0", 42),
        ("shop-access-1", 7),
    ]
    assert json.loads(records[0].data)["request"]["path"] == "/cart"
    assert records[0].partition == "shop"
    assert records[0].headers == (("service", "shop"),)
    assert records[0].arrival == 1_795_885_201.25


def test_a_topic_may_have_hyphens_and_numbers() -> None:
    assert [topic_of(each) for each in ("shop-0", "shop-1-0", "a.b_c-12")] == ["shop", "shop-1", "a.b_c"]  # fmt: skip


def changed(**fields: Any) -> RawRecord:
    event = deepcopy(MSK)
    event["records"] = {"shop-access-0": [event["records"]["shop-access-0"][0] | fields]}
    return records_of(event, NOW)[0]


def test_a_tombstone_has_no_content() -> None:
    assert changed(value=None).data == b""


def test_a_record_may_have_neither_key_nor_headers() -> None:
    record = changed(key=None, headers=[])
    assert (record.partition, record.headers) == ("", ())


def test_a_record_without_a_timestamp_arrived_now() -> None:
    assert changed(timestamp=-1).arrival == NOW


def test_a_headers_bytes_may_be_negative_as_java_writes_them() -> None:
    assert changed(headers=[{"town": [90, -61, -68, 114, 105, 99, 104]}]).headers == (
        ("town", "Zürich"),
    )


def test_records_of_a_partition_are_put_in_the_order_of_their_offsets() -> None:
    event = deepcopy(MSK)
    event["records"]["shop-access-0"].reverse()
    assert records_of(event, NOW) == records_of(MSK, NOW)


def test_partitions_are_merged_by_time_and_keep_their_order() -> None:
    event = deepcopy(MSK)
    event["records"]["shop-access-0"][0]["timestamp"] += 60_000
    event["records"]["shop-access-1"][0]["timestamp"] = event["records"]["shop-access-0"][1]["timestamp"]  # fmt: skip
    positions = [(each.lane[-1], each.position) for each in records_of(event, NOW)]
    assert positions == [("1", 7), ("0", 41), ("0", 42)]


@pytest.mark.parametrize(
    "event",
    [
        {},
        None,
        sample("score_kinesis"),
        MSK | {"eventSource": "aws:kinesis"},
        MSK | {"records": []},
        MSK | {"records": {"a-0": [{"offset": 1, "value": "ä"}]}},
    ],
)
def test_another_event_is_refused_with_its_sample(event: Any) -> None:
    with pytest.raises(InvalidInput, match=r"events/score_kafka\.json"):
        records_of(event, NOW)


def record(lane: str, position: int) -> RawRecord:
    return RawRecord(b"", lane, position, NOW)


BATCH = [record("a-0", 1), record("a-0", 2), record("a-0", 3), record("a-1", 1), record("a-1", 2)]


@pytest.mark.parametrize(
    ("failed", "answered"),
    [
        ([], []),
        ([BATCH[1]], [("a-0", 2), ("a-0", 3)]),
        ([BATCH[2], BATCH[1]], [("a-0", 2), ("a-0", 3)]),
        ([BATCH[2], BATCH[3]], [("a-0", 3), ("a-1", 1), ("a-1", 2)]),
    ],
)
def test_a_failed_record_and_the_later_ones_of_its_partition_come_again(
    failed: list[RawRecord], answered: list[tuple[str, int]]
) -> None:
    response = partial_response(BATCH, failed)
    named = [each["itemIdentifier"] for each in response["batchItemFailures"]]
    assert named == [{"partition": lane, "offset": offset} for lane, offset in answered]
