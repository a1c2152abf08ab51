import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutwatch.detectors.log_format import LogFormat
from cutwatch.features.log_event import LogEvent
from cutwatch.streams.log_decoding import LONGEST_LINE, LogDecoder
from cutwatch.streams.record import RawRecord, Reason, Record, Rejected

JSON = LogFormat(
    key="service",
    time="at",
    response_time="ms",
    response_time_unit="milliseconds",
    level="level",
    method="http.method",
    path="http.path",
    status="http.status",
)
ACCESS = LogFormat(format="access_log")
OPENSTACK = LogFormat(
    format="pattern",
    pattern=(
        r"(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+) \d+ (?P<level>[A-Z]+) "
        r'.*"(?P<request>[A-Z]+ \S+)[^"]*" status: (?P<status>\d+).* time: (?P<response_time>[\d.]+)'
    ),
)
AT = "2026-11-28T17:00:00Z"
EPOCH, ARRIVAL = 1_795_885_200.0, 1_795_885_201.0
GOOD: dict[str, Any] = {
    "service": "shop",
    "at": AT,
    "ms": 250,
    "level": "INFO",
    "http": {"method": "GET", "path": "/cart?x=1", "status": 200},
}
LINE = (
    '10.0.0.1 - - [28/Nov/2026:17:00:00 +0000] "GET /cart?x=1 HTTP/1.1" 200 512 "-" "curl/8" 250000'
)


def decoded(declared: LogFormat, content: bytes | str | dict[str, Any]) -> Record | Rejected:
    text = json.dumps(content) if isinstance(content, dict) else content
    data = text if isinstance(text, bytes) else text.encode()
    return LogDecoder(declared, "UTC").decode(RawRecord(data, "shop-0", 7, ARRIVAL))


def event_of(declared: LogFormat, content: bytes | str | dict[str, Any]) -> LogEvent:
    record = decoded(declared, content)
    assert isinstance(record, Record), record
    assert record.event is not None
    assert record.time == record.event.time
    return record.event


def test_json_is_read_by_its_places() -> None:
    record = decoded(JSON, GOOD)
    event = LogEvent(EPOCH, 0.25, "INFO", "GET", "/cart?x=1", 200)
    assert record == Record("shop", EPOCH, (), "shop-0", 7, event)


def test_the_topic_may_be_the_key() -> None:
    record = decoded(replace(ACCESS, key="kafka.topic"), LINE)
    assert isinstance(record, Record)
    assert record.key == "shop"


def test_an_access_log_is_read_by_its_log_format() -> None:
    assert event_of(ACCESS, LINE) == LogEvent(EPOCH, 0.25, "", "GET", "/cart?x=1", 200)


@pytest.mark.parametrize(
    ("log_format", "line", "response_time"),
    [
        ("%t %>s %T", "[28/Nov/2026:17:00:00 +0000] 200 3", 3.0),
        ("%t %>s %{ms}T", "[28/Nov/2026:17:00:00 +0000] 200 1500", 1.5),
        ("%t %s", "[28/Nov/2026:17:00:00 +0000] 200", None),
        ("%t %>s %m %U", "[28/Nov/2026:17:00:00 +0000] 200 GET /cart", None),
    ],
)
def test_a_response_time_has_the_unit_of_its_directive(
    log_format: str, line: str, response_time: float | None
) -> None:
    declared = LogFormat(format="access_log", log_format=log_format)
    event = event_of(declared, line)
    assert (event.response_time, event.status) == (response_time, 200)


def test_a_pattern_is_read_by_its_groups() -> None:
    line = (
        "nova-api.log 2017-05-16 00:00:00.008 25746 INFO nova.wsgi [req-1] 10.11.10.1 "
        '"GET /v2/54fa/servers/detail HTTP/1.1" status: 200 len: 1893 time: 0.2477829'
    )
    expected = LogEvent(1_494_892_800.008, 0.2477829, "INFO", "GET", "/v2/54fa/servers/detail", 200)
    assert event_of(OPENSTACK, line) == expected


@pytest.mark.parametrize(
    ("changes", "reason", "detail"),
    [
        ({"at": None}, Reason.MISSING_FIELD, "time is missing"),
        ({"at": "yesterday"}, Reason.NOT_A_TIME, "time does not have the declared time_format"),
        ({"at": "2026-11-29T17:00:00Z"}, Reason.IN_THE_FUTURE, "time is more than 300 s after"),
        ({"service": None}, Reason.MISSING_FIELD, "key is missing"),
        ({"service": "x" * 300}, Reason.KEY_TOO_LONG, "key is longer than 256"),
        ({"ms": "slow"}, Reason.NOT_A_NUMBER, "response_time is not a number"),
        ({"ms": True}, Reason.NOT_A_NUMBER, "response_time is not a finite number"),
        ({"ms": [1]}, Reason.NOT_A_NUMBER, "response_time is not a number"),
        ({"ms": 10**400}, Reason.NOT_A_NUMBER, "response_time is not a number"),
        ({"ms": -1}, Reason.NEGATIVE, "response_time is negative"),
        ({"level": 3}, Reason.NOT_TEXT, "level is not a text"),
        ({"http": {"status": 42}}, Reason.NOT_A_STATUS, "status is not between 100 and 599"),
        ({"ms": None, "level": None, "http": {}}, Reason.MISSING_FIELD, "no part of a request"),
    ],
)
def test_a_record_is_rejected_for_one_reason(
    changes: dict[str, Any], reason: Reason, detail: str
) -> None:
    found = decoded(JSON, GOOD | changes)
    assert isinstance(found, Rejected)
    assert found.reason == reason
    assert detail in found.detail


@pytest.mark.parametrize(
    ("declared", "content", "reason"),
    [
        (JSON, "{", Reason.NOT_JSON),
        (JSON, b"\xff", Reason.NOT_JSON),
        (ACCESS, "secret token 4711", Reason.NOT_A_LOG_LINE),
        (OPENSTACK, "secret token 4711", Reason.NOT_A_LOG_LINE),
        (ACCESS, LINE + "x" * LONGEST_LINE, Reason.NOT_A_LOG_LINE),
    ],
)
def test_a_line_that_is_not_a_log_line_is_rejected_without_its_content(
    declared: LogFormat, content: str | bytes, reason: Reason
) -> None:
    found = decoded(declared, content)
    assert isinstance(found, Rejected)
    assert found.reason == reason
    assert "4711" not in found.detail


@pytest.mark.parametrize("missing", ["ms", "level"])
def test_a_part_may_be_missing(missing: str) -> None:
    event = event_of(JSON, {**GOOD, missing: None})
    assert event.path == "/cart?x=1"


def test_a_dash_in_an_access_log_is_a_missing_part() -> None:
    event = event_of(ACCESS, '10.0.0.1 - - [28/Nov/2026:17:00:00 +0000] "-" 408 - "-" "-" 12')
    assert (event.method, event.path, event.status) == ("", "", 408)


def test_bytes_that_are_not_text_are_read_as_the_server_wrote_them() -> None:
    event = event_of(ACCESS, LINE.encode().replace(b"cart", b"c\xfft"))
    assert event.path.startswith("/cÿt")


def test_a_pattern_takes_linear_time_whatever_the_line() -> None:
    declared = LogFormat(format="pattern", pattern=r"(?P<time>(a+)+)b")
    found = decoded(declared, "a" * 50_000)
    assert isinstance(found, Rejected)  # an engine that tries every split would not end


@given(st.binary(max_size=300))
def test_no_bytes_raise(content: bytes) -> None:
    for declared in (JSON, ACCESS, OPENSTACK):
        assert isinstance(decoded(declared, content), Record | Rejected)


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=20) | st.integers(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["method", "path", "status"]), inner)))  # fmt: skip
def test_no_values_raise(value: Any) -> None:
    for name in GOOD:
        assert isinstance(decoded(JSON, {**GOOD, name: value}), Record | Rejected)
