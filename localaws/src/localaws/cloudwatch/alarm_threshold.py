"""The state of an alarm by the datapoints in its evaluation range, with missing datapoints treated as AWS documents it.

"Configuring how CloudWatch alarms treat missing data": the real datapoints of the range count first, missing ones
are filled in as few times as possible, and a breach that is old enough is not explained away by missing data.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

OK, ALARM, INSUFFICIENT_DATA = "OK", "ALARM", "INSUFFICIENT_DATA"
MISSING, IGNORE, BREACHING, NOT_BREACHING = "missing", "ignore", "breaching", "notBreaching"
TREATMENTS = (MISSING, IGNORE, BREACHING, NOT_BREACHING)
# AWS retrieves more datapoints than it evaluates, how many it does not say; its example is five for three.
_EXTRA_DATAPOINTS = 2

_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
COMPARISON_WORDS: Mapping[str, str] = {
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "GreaterThanThreshold": "greater than",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
}


@dataclass(frozen=True)
class Rule:
    """ALARM if `needed` of `periods` datapoints compare so with the threshold."""

    comparison: str
    threshold: float
    periods: int
    needed: int
    missing: str

    @property
    def range(self) -> int:
        """Return the number of latest periods that are looked at."""
        return self.periods + _EXTRA_DATAPOINTS

    def breaches(self, value: float) -> bool:
        return _COMPARISONS[self.comparison](value, self.threshold)


@dataclass(frozen=True)
class Evaluation:
    """The state, None for the state that it was; how many of the evaluated datapoints are real, by their position."""

    state: str | None
    evaluated: Sequence[int]
    filled: int


def evaluate(values: Sequence[float | None], rule: Rule) -> Evaluation:
    """Evaluate the periods of the range, oldest first."""
    existing = [index for index, value in enumerate(values) if value is not None]
    evaluated = existing[-rule.periods :]
    filled = rule.periods - len(evaluated)
    breaching = [index for index in evaluated if _breaches(values[index], rule)]
    if filled and rule.missing in (MISSING, IGNORE) and len(breaching) < rule.needed:
        return Evaluation(
            _without_filling(len(values), evaluated, breaching, rule), evaluated, filled
        )
    count = len(breaching) + (filled if rule.missing == BREACHING else 0)
    return Evaluation(ALARM if count >= rule.needed else OK, evaluated, filled)


def _without_filling(
    length: int, evaluated: Sequence[int], breaching: Sequence[int], rule: Rule
) -> str | None:
    """Return the state by too few datapoints with too few breaches among them."""
    if len(breaching) < len(evaluated):
        return OK
    if rule.missing == IGNORE:
        return None
    if breaching and length - breaching[0] >= rule.needed:
        return ALARM
    return INSUFFICIENT_DATA


def _breaches(value: float | None, rule: Rule) -> bool:
    return value is not None and rule.breaches(value)
