import json

import pytest

from localaws.lambda_runtime.log_controls import kept, variables

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
LINES = {level: json.dumps({"level": level, "message": "m"}) + "\n" for level in LEVELS}
METRICS = '{"_aws": {"CloudWatchMetrics": []}, "Errors": 1.0}\n'
LOG = "".join(LINES.values()) + METRICS


def function(**controls: str) -> dict[str, dict[str, str]]:
    return {"LoggingConfig": controls}


@pytest.mark.parametrize(
    ("level", "first", "metrics"), [("DEBUG", 0, True), ("INFO", 1, True), ("WARN", 2, False)]
)
def test_json_logs_lose_the_lines_below_the_functions_level(
    level: str, first: int, *, metrics: bool
) -> None:
    found = kept(LOG, function(LogFormat="JSON", ApplicationLogLevel=level))

    assert found == "".join(LINES[each] for each in LEVELS[first:]) + METRICS * metrics


def test_the_level_of_json_logs_is_info_unless_another_is_given() -> None:
    assert kept(LOG, function(LogFormat="JSON")) == kept(
        LOG, function(LogFormat="JSON", ApplicationLogLevel="INFO")
    )
    assert variables(function(LogFormat="JSON"))["AWS_LAMBDA_LOG_LEVEL"] == "INFO"


def test_text_logs_are_kept_whole() -> None:
    assert kept(LOG, {}) == LOG
    assert variables({}) == {"AWS_LAMBDA_LOG_FORMAT": "Text"}
