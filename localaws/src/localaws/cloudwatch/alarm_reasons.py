"""Reasons for an alarm's state, in AWS's words and in its JSON."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from localaws.cloudwatch.alarm_threshold import (
    ALARM,
    BREACHING,
    COMPARISON_WORDS,
    INSUFFICIENT_DATA,
    NOT_BREACHING,
    OK,
    Evaluation,
    Rule,
)

_MAX_LENGTH = 1_023
_TREATED_AS = {BREACHING: "Breaching", NOT_BREACHING: "NonBreaching"}
Datapoint = tuple[int, float]


def datapoints(
    evaluation: Evaluation, times: Sequence[int], values: Sequence[float | None]
) -> list[Datapoint]:
    """Return the evaluated datapoints, newest first."""
    found = [(times[index], values[index]) for index in reversed(evaluation.evaluated)]
    return [(time, value) for time, value in found if value is not None]


def reason(rule: Rule, filled: int, evaluated: Sequence[Datapoint], old: str, new: str) -> str:
    if new == INSUFFICIENT_DATA:
        unknown = _counted(filled, "datapoint")
        return f"Insufficient Data: {unknown} {_were(filled)} unknown."
    crossed = [point for point in evaluated if rule.breaches(point[1]) == (new == ALARM)]
    parts = [_compared(rule, crossed, new)] if crossed else []
    if not evaluated:
        parts.append(f"no datapoints were received for {_counted(filled, 'period')}")
    if filled and rule.missing in _TREATED_AS:
        missing = _counted(filled, "missing datapoint")
        parts.append(f"{missing} {_were(filled)} treated as [{_TREATED_AS[rule.missing]}]")
    needed = rule.needed if new == ALARM else rule.periods - rule.needed + 1
    minimum = f" (minimum {_counted(needed, 'datapoint')} for {old} -> {new} transition)"
    text = f"Threshold Crossed: {' and '.join(parts)}{minimum if crossed else ''}."
    return text[:_MAX_LENGTH]


def contributor_reason(rule: Rule, evaluated: Sequence[Datapoint], new: str) -> str:
    """Return AWS's shorter words for one of several time series."""
    crossed = [point for point in evaluated if rule.breaches(point[1]) == (new == ALARM)]
    if not crossed:
        return "Threshold Crossed: missing datapoints were treated as not breaching."
    count = len(crossed)
    return (
        f"Threshold Crossed: {_counted(count, 'datapoint')} {_were(count)} {_words(rule, new)}. "
        f"The most recent datapoint which crossed the threshold: [{_written(crossed[0])}]."
    )


def contributors_reason(in_alarm: int, everything: int, most: int) -> str:
    if in_alarm > most:
        return f"{most}+ time series evaluated to ALARM"
    if in_alarm:
        return f"{in_alarm} out of {everything} time series evaluated to ALARM"
    return f"{everything} time series evaluated to OK"


def no_series_reason(missing: str) -> str:
    treated = _TREATED_AS.get(missing, missing.capitalize())
    return (
        "No time series were returned by the query. "
        f"Treat missing data is configured as [{treated}]."
    )


def reason_data(
    evaluated: Sequence[Datapoint],
    at: datetime,
    period: int,
    threshold: float,
    statistic: str | None,
) -> str:
    """Return AWS's StateReasonData, in which `recentDatapoints` are oldest first."""
    data: dict[str, Any] = {"version": "1.0", "queryDate": timestamp(at)}
    if evaluated:
        data["startDate"] = timestamp(_moment(evaluated[-1][0]))
    if statistic is not None:
        data["statistic"] = statistic
    data |= {
        "period": period,
        "recentDatapoints": [value for _, value in reversed(evaluated)],
        "threshold": threshold,
    }
    if evaluated:
        data["evaluatedDatapoints"] = [
            {"timestamp": timestamp(_moment(time)), "value": value} for time, value in evaluated
        ]
    return json.dumps(data, separators=(",", ":"))


def timestamp(moment: datetime) -> str:
    """Format a timestamp as CloudWatch does in messages and events."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "+0000")


def _compared(rule: Rule, crossed: Sequence[Datapoint], new: str) -> str:
    listed = ", ".join(map(_written, crossed))
    return (
        f"{len(crossed)} out of the last {rule.periods} datapoints [{listed}] "
        f"{_were(len(crossed))} {_words(rule, new)}"
    )


def _words(rule: Rule, new: str) -> str:
    negated = "not " if new == OK else ""
    return f"{negated}{COMPARISON_WORDS[rule.comparison]} the threshold ({rule.threshold})"


def _written(point: Datapoint) -> str:
    return f"{point[1]} ({_moment(point[0]):%d/%m/%y %H:%M:%S})"


def _moment(time: float) -> datetime:
    return datetime.fromtimestamp(time, UTC)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"
