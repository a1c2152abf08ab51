"""Filter criteria of event source mappings."""

import base64
import json
from typing import Any

import pytest

from localaws.api_response import ApiError
from localaws.event_sources.filters import kinesis_view, predicate

EVENT = {
    "data": {"level": "ERROR", "ms": 120, "tags": ["a", "b"], "user": None},
    "partitionKey": "k-1",
}


def criteria(*patterns: object) -> dict[str, Any]:
    return {"Filters": [{"Pattern": json.dumps(pattern)} for pattern in patterns]}


@pytest.mark.parametrize(
    ("pattern", "passes"),
    [
        ({"data": {"level": ["ERROR", "WARN"]}}, True),
        ({"data": {"level": ["INFO"]}}, False),
        ({"data": {"level": [{"prefix": "ERR"}]}}, True),
        ({"data": {"level": [{"suffix": "ERR"}]}}, False),
        ({"data": {"level": [{"equals-ignore-case": "error"}]}}, True),
        ({"data": {"level": [{"anything-but": ["INFO"]}]}}, True),
        ({"data": {"level": [{"anything-but": {"prefix": "ERR"}}]}}, False),
        ({"data": {"missing": [{"anything-but": ["INFO"]}]}}, False),
        ({"data": {"ms": [{"numeric": [">", 100, "<=", 120]}]}}, True),
        ({"data": {"ms": [{"numeric": ["<", 100]}]}}, False),
        ({"data": {"level": [{"numeric": [">", 1]}]}}, False),
        ({"data": {"ms": [120.0]}}, True),
        ({"data": {"ms": ["120"]}}, False),
        ({"data": {"user": [None]}}, True),
        ({"data": {"missing": [None]}}, False),
        ({"data": {"missing": [{"exists": False}]}}, True),
        ({"data": {"ms": [{"exists": True}]}}, True),
        ({"data": {"tags": ["b"]}}, True),
        ({"partitionKey": [{"prefix": "k-"}], "data": {"ms": [1]}}, False),
        ({"$or": [{"data": {"ms": [1]}}, {"partitionKey": ["k-1"]}]}, True),
        ({"data": {"level": {"deep": ["x"]}}}, False),
    ],
)
def test_a_pattern_passes_what_matches(pattern: object, passes: bool) -> None:
    assert predicate(criteria(pattern))(EVENT) is passes


def test_one_of_several_patterns_is_enough() -> None:
    wants = predicate(criteria({"data": {"ms": [1]}}, {"data": {"ms": [120]}}))
    assert wants(EVENT)


def test_without_patterns_everything_passes() -> None:
    assert predicate(None)({})
    assert predicate({"Filters": []})({})


@pytest.mark.parametrize(
    "pattern",
    ["", "text", "[]", "{}", '{"data": "x"}', '{"data": []}', '{"data": [{"like": "x"}]}'],
)
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(ApiError, match="Invalid filter pattern definition"):
        predicate({"Filters": [{"Pattern": pattern}]})


def test_more_filters_than_lambda_takes_are_refused() -> None:
    with pytest.raises(ApiError, match="at most 5"):
        predicate(criteria(*[{"a": [1]}] * 6))


def kinesis(data: bytes) -> dict[str, Any]:
    return {"kinesis": {"data": base64.b64encode(data).decode(), "partitionKey": "p"}}


def test_data_that_is_not_json_is_seen_as_text() -> None:
    wants = predicate(criteria({"data": {"level": ["ERROR"]}}))
    assert not wants(kinesis_view(kinesis(b"not json")))
    assert predicate(criteria({"data": ["not json"]}))(kinesis_view(kinesis(b"not json")))
    assert predicate(criteria({"partitionKey": ["p"]}))(kinesis_view(kinesis(b"\xff\xfe")))
    assert wants(kinesis_view(kinesis(b'{"level": "ERROR"}')))
