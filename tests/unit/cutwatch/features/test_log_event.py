import pytest

from cutwatch.features.log_event import LogEvent, categories_of
from tests.support.log_events import an_event


@pytest.mark.parametrize(
    ("fields", "is_error"),
    [
        ({"status": 500}, True),
        ({"status": 503, "level": ""}, True),
        ({"status": 499}, False),
        ({"status": None, "level": "error"}, True),
        ({"status": 200, "level": "WARN"}, False),
        ({"status": None, "level": ""}, False),
    ],
)
def test_an_error_has_a_servers_status_or_an_errors_level(
    fields: dict[str, object], is_error: bool
) -> None:
    assert an_event(**fields).is_error is is_error


def test_categories_do_not_depend_on_case_or_ids() -> None:
    event = an_event(level="warn", method="post", path="/orders/77", status=404)
    assert categories_of(event) == ("WARN", "POST", "/orders/{id}", "4xx")


def test_a_field_that_is_missing_is_a_category() -> None:
    assert set(categories_of(LogEvent(0.0))) == {"(none)"}
