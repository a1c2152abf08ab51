import json
from functools import cache
from itertools import islice, pairwise

import pytest

from cutwatch.detectors.log_format import LogFormat
from cutwatch.streams.log_decoding import LogDecoder
from cutwatch.streams.record import RawRecord, Record
from cutwatch_cli.access_logs.faults import NEWS_SECONDS, planted_faults
from cutwatch_cli.access_logs.shop import Request, Shop, access_line, json_line

MONDAY, HOUR = 1_780_272_000.0, 3_600
FAULTS = planted_faults(MONDAY, MONDAY + 8 * HOUR)
SHOP = Shop(MONDAY, 8 * HOUR, busiest_rate=2.0, faults=FAULTS)
JSON = LogFormat(
    time="timestamp",
    response_time="duration_ms",
    response_time_unit="milliseconds",
    level="level",
    method="request.method",
    path="request.path",
    status="status",
)


@cache
def all_requests() -> list[Request]:
    return list(SHOP.requests())


def during(kind: str) -> list[Request]:
    [fault] = [each for each in FAULTS if each.kind == kind]
    return [each for each in all_requests() if fault.is_active(each.event.time)]


def test_equal_settings_give_equal_logs() -> None:
    assert list(islice(SHOP.requests(), 500)) == all_requests()[:500]
    assert list(islice(Shop(MONDAY, 8 * HOUR, 2.0, seed=2).requests(), 5)) != all_requests()[:5]


def test_requests_are_in_the_order_of_time() -> None:
    times = [each.event.time for each in all_requests()]
    assert times == sorted(times)
    assert times[0] >= MONDAY
    assert times[-1] < SHOP.end


def test_the_load_follows_the_day_and_the_week() -> None:
    assert SHOP.rate(MONDAY + 15 * HOUR) == pytest.approx(2.0)
    assert SHOP.rate(MONDAY + 3 * HOUR) == pytest.approx(0.4)
    assert SHOP.rate(MONDAY + 5 * 24 * HOUR + 15 * HOUR) == pytest.approx(1.4)
    expected = sum(SHOP.rate(MONDAY + 60 * minute) * 60 for minute in range(8 * 60))
    plain = list(Shop(MONDAY, 8 * HOUR, 2.0).requests())
    assert len(plain) == pytest.approx(expected, rel=0.05)


def test_every_kind_of_fault_is_planted_once_without_overlap() -> None:
    assert len({each.kind for each in FAULTS}) == len(FAULTS) == 6
    assert all(one.end <= other.start for one, other in pairwise(FAULTS))
    assert FAULTS[-1].end == SHOP.end


def test_a_slow_path_is_slow_and_the_others_are_not() -> None:
    slow = [each.event for each in during("slow path") if each.event.path == "/cart"]
    others = [each for each in during("slow path") if each.event.path != "/cart"]
    assert min(event.response_time or 0 for event in slow) > 0.2
    assert all(each.fault is None for each in others)


def test_half_of_a_burst_are_errors() -> None:
    burst = [each.event.is_error for each in during("error burst")]
    assert sum(burst) / len(burst) == pytest.approx(0.5, abs=0.15)


def test_a_scan_asks_for_paths_that_the_shop_does_not_have() -> None:
    scanned = [each.event for each in during("path scan") if each.fault]
    assert len({event.path for event in scanned}) > len(scanned) / 2
    assert {event.status for event in scanned} == {404}


def test_methods_shift() -> None:
    methods = [each.event.method for each in during("method shift")]
    assert methods.count("PATCH") > 0
    assert methods.count("GET") < 0.6 * len(methods)


def test_silence_is_silent() -> None:
    assert during("silence") == []


def test_a_level_shift_lasts_but_is_news_for_a_while_only() -> None:
    shifted = during("level shift")
    [fault] = [each for each in FAULTS if each.kind == "level shift"]
    assert shifted[0].fault == fault
    assert {each.fault for each in shifted if each.event.time >= fault.start + NEWS_SECONDS} == {None}  # fmt: skip


@pytest.mark.parametrize(
    ("declared", "line"), [(JSON, json_line), (LogFormat(format="access_log"), access_line)]
)
def test_lines_are_read_back_as_the_requests_that_they_are(declared: LogFormat, line: object) -> None:  # fmt: skip
    assert callable(line)
    decoder = LogDecoder(declared, "UTC")
    for request, _ in all_requests()[:300]:
        record = decoder.decode(RawRecord(line(request).encode(), "0", 0, 2e9))
        assert isinstance(record, Record)
        assert record.event is not None
        assert record.event[2 + (line is access_line) :] == request[2 + (line is access_line) :]
        assert record.event.response_time == pytest.approx(request.response_time, abs=2e-6)
        assert record.event.time == pytest.approx(request.time, abs=1)


def test_a_json_line_has_no_more_than_its_fields() -> None:
    content = json.loads(json_line(all_requests()[0].event))
    assert set(content) == {"timestamp", "level", "request", "status", "duration_ms"}
