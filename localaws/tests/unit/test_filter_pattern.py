"""Filter patterns of CloudWatch Logs, by the examples of AWS's guide and those of the application."""

import json
from typing import Any

import pytest

from localaws.logs.filter_pattern import FilterPattern

EVENT = {
    "eventType": "UpdateTrail",
    "sourceIPAddress": "111.111.111.111",
    "arrayKey": ["value", "another value"],
    "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
    "SomeObject": None,
    "ThisFlag": True,
    "score": 3.5,
}


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("", True),
        ('{ $.eventType = "UpdateTrail" }', True),
        ("{ $.eventType = UpdateTrail }", True),
        ('{ $.eventType != "UpdateTrail" }', False),
        ("{ $.sourceIPAddress != 123.123.* }", True),
        ("{ $.sourceIPAddress = 111.* }", True),
        ('{ $.arrayKey[0] = "value" }', True),
        ("{ $.objectList[1].id = 2 }", True),
        ("{ $.objectList[2].id = 2 }", False),
        ("{ $['eventType'] = UpdateTrail }", True),
        ("{ $.SomeObject IS NULL }", True),
        ("{ $.SomeOtherObject NOT EXISTS }", True),
        ("{ $.ThisFlag IS TRUE }", True),
        ("{ $.ThisFlag IS FALSE }", False),
        ("{ $.score > 3 }", True),
        ("{ $.score >= 3.5 && $.score < 4 }", True),
        ("{ $.score = 3.5 }", True),
        ("{ $.eventType > 3 }", False),
        ("{ $.missing >= 0 }", False),
        ('{ ($.score > 9) || ($.eventType = "Update*") }', True),
        ('{ $.score > 9 || $.score < 1 && $.eventType = "x" }', False),
        ('"UpdateTrail"', True),
        ("UpdateTrail score", True),
        ("UpdateTrail absent", False),
        ("?absent ?UpdateTrail", True),
        ("UpdateTrail -score", False),
    ],
)  # fmt: skip
def test_a_pattern_finds_what_it_says(pattern: str, matches: bool) -> None:
    assert FilterPattern(pattern).matches(json.dumps(EVENT)) is matches


def test_a_json_pattern_finds_nothing_in_text() -> None:
    assert not FilterPattern("{ $.score > 3 }").matches("score 4")


def test_the_values_of_a_patterns_fields_are_extracted() -> None:
    pattern = FilterPattern("{ $.score > 3 && $.ThisFlag IS TRUE }")
    assert pattern.extracted(json.dumps(EVENT)) == {"$.score": "3.5", "$.ThisFlag": "true"}


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("{ $.a = 1", "no closing brace"),
        ("{ ($.a = 1 }", "a parenthesis is not closed"),
        ("{ $.a = 1 && }", "ends where a condition is expected"),
        ("{ $.a = 1 $.b = 2 }", r"unexpected '\$\.b'"),
        ("{ $.a > x }", "'x' is not a number"),
        ("{ a = 1 }", r"expected a condition such as \$.field = value"),
        ("[ip, user]", "not implemented by the local AWS"),
        ("%a+%", "not implemented by the local AWS"),
    ],
)
def test_an_invalid_pattern_is_refused_with_a_reason(pattern: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        FilterPattern(pattern)


def test_the_patterns_of_hostile_messages_do_not_raise() -> None:
    messages: list[Any] = ["", "{", "[]", "null", '{"score": "x"}', "\x00", '{"score": {}}']
    pattern = FilterPattern('{ ($.score > 3) || ($.score.a[1] = "x") }')
    assert not any(pattern.matches(message) for message in messages)
