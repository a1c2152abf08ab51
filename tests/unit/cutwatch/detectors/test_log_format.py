import re
from typing import Any

import pytest

from cutwatch.detectors.log_format import LogFormat

PATTERN = r'"(?P<request>[^"]+)" (?P<status>\d+) at (?P<time>\S+)'


@pytest.mark.parametrize(
    "settings",
    [
        {"time": "at", "path": "request.path"},
        {"format": "access_log"},
        {"format": "access_log", "log_format": "%t %r %s"},
        {"format": "access_log", "log_format": '%{%Y-%m-%dT%H:%M:%S%z}t "%r"'},
        {"format": "pattern", "pattern": PATTERN},
    ],
)
def test_each_format_has_its_own_fields(settings: dict[str, Any]) -> None:
    assert LogFormat(**settings)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"path": "p"}, "time: is missing; expected the place of the event time"),
        ({"time": "at"}, "format: json needs the place of at least one of response_time, level"),
        ({"time": "at", "path": "a["}, "path: 'a[' is not a JMESPath expression"),
        ({"time": "at", "path": "p", "pattern": "x"}, "pattern: belongs to format: pattern"),
        ({"time": "at", "path": "p", "log_format": "%t"}, "log_format: belongs to format: access_log"),
        ({"format": "access_log", "log_format": "%Z %t"}, "log_format: '%Z %t' is not a LogFormat of Apache"),
        ({"format": "access_log", "log_format": '"%r" %s'}, "has no time of the request; add %t"),
        ({"format": "access_log", "log_format": "%>s %{end:sec}t"}, "has no time of the request; add %t"),
        ({"format": "access_log", "path": "p"}, "path: belongs to format: json; access_log has its own fields"),
        ({"format": "pattern"}, "pattern: is missing; expected an RE2 expression"),
        ({"format": "pattern", "pattern": "("}, "pattern: is not an RE2 expression: missing ): ("),
        ({"format": "pattern", "pattern": "(?P<time>a)(?=b)"}, "pattern: is not an RE2 expression: invalid perl operator"),
        ({"format": "pattern", "pattern": "(?P<path>a)"}, "pattern: has no group named time"),
        ({"format": "pattern", "pattern": "(?P<time>a)(?P<host>b)"}, "pattern: group 'host' is not one of key, time, response_time"),
    ],
)  # fmt: skip
def test_a_mistake_names_the_field_and_what_would_be_right(
    settings: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)):
        LogFormat(**settings)


@pytest.mark.parametrize(
    ("settings", "is_keyed"),
    [
        ({"time": "at", "path": "p", "key": "service"}, True),
        ({"time": "at", "path": "p"}, False),
        ({"format": "pattern", "pattern": "(?P<key>a)(?P<time>b)"}, True),
        ({"format": "access_log"}, False),
    ],
)
def test_a_format_knows_whether_records_have_keys(settings: dict[str, Any], is_keyed: bool) -> None:
    assert LogFormat(**settings).is_keyed is is_keyed
