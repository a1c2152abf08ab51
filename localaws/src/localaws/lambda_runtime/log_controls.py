"""Lambda's advanced logging controls: the levels of JSON logs."""

import json
import logging
from collections.abc import Mapping
from typing import Any

_DEFAULT_LEVEL = "INFO"


def variables(configuration: Mapping[str, Any]) -> dict[str, str]:
    """Return the variables that set the format of a function's logger, and for JSON the level."""
    controls = configuration.get("LoggingConfig", {})
    if controls.get("LogFormat") != "JSON":
        return {"AWS_LAMBDA_LOG_FORMAT": "Text"}
    return {"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": _level(controls)}


def kept(log: str, configuration: Mapping[str, Any]) -> str:
    """Return the lines of a log that Lambda sends to CloudWatch.

    Lines of a JSON log below the function's level are dropped. A line without a level counts as INFO, embedded
    metrics among them.
    """
    controls = configuration.get("LoggingConfig", {})
    if controls.get("LogFormat") != "JSON":
        return log
    least = logging.getLevelNamesMapping()[_level(controls)]
    return "".join(line for line in log.splitlines(keepends=True) if _severity(line) >= least)


def _level(controls: Mapping[str, Any]) -> str:
    level = str(controls.get("ApplicationLogLevel") or _DEFAULT_LEVEL)
    return {"TRACE": "DEBUG"}.get(level, level)


def _severity(line: str) -> int:
    try:
        level = json.loads(line)["level"]
    except (ValueError, KeyError, TypeError):
        level = _DEFAULT_LEVEL
    return logging.getLevelNamesMapping().get(str(level), logging.INFO)
