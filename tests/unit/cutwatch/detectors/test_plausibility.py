from cutwatch.detectors.plausibility import stream_doubts
from cutwatch.detectors.record_format import RecordFormat
from tests.support.streams import a_stream


def test_a_stream_without_a_key_shares_one_forest_among_its_shards() -> None:
    keyless = a_stream(record=RecordFormat("at", {"x": "x"}))
    [doubt] = stream_doubts(keyless, ("streams", 0))

    assert "some 10,000 records per second" in str(doubt)
    assert [*stream_doubts(a_stream(), ("streams", 0))] == []
