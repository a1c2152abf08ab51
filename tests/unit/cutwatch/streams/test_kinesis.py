from typing import Any

import pytest

from cutwatch.errors import InvalidInput
from cutwatch.streams.kinesis import partial_response, records_of
from cutwatch.streams.record import RawRecord
from tests.support.sample_events import sample


def test_a_record_has_the_shard_as_its_lane_and_the_sequence_number_as_its_position() -> None:
    [record] = records_of(sample("score_kinesis"))

    assert record.lane == "shardId-000000000000"
    assert record.position == 49590338271490256608559692538361571095921575989136588898
    assert record.partition == "p-17"
    assert record.data.startswith(b'{"patient"')
    assert record.arrival == 1793491221.25


@pytest.mark.parametrize("event", [None, [], {}, {"Records": 1}, {"Records": [{"kinesis": {}}]}])
def test_another_event_is_refused_with_the_place_of_a_sample(event: Any) -> None:
    with pytest.raises(
        InvalidInput, match=r"not an event of a Kinesis .*events/score_kinesis\.json"
    ):
        records_of(event)


def test_the_answer_names_the_first_failed_record() -> None:
    failed = [RawRecord(b"", "shard", position, 0) for position in (19, 7, 8)]
    assert partial_response(failed) == {"batchItemFailures": [{"itemIdentifier": "7"}]}
    assert partial_response([]) == {"batchItemFailures": []}
