"""CloudWatch's statistics, as its documentation on statistics definitions has them."""

import re
from difflib import get_close_matches

_PLAIN = ("SampleCount", "Average", "Sum", "Minimum", "Maximum", "IQM")
_ONE_BOUND = re.compile(r"(p|tm|wm|tc|ts)(100(\.0{1,10})?|\d{1,2}(\.\d{1,10})?)", re.ASCII)
_TWO_BOUNDS = re.compile(r"(TM|WM|TC|TS|PR)\(([^:()]*):([^:()]*)\)")
_BOUND = re.compile(r"(\d+(?:\.\d{1,10})?)(%?)", re.ASCII)
_OTHER_NAMES = {
    "avg": "Average",
    "mean": "Average",
    "max": "Maximum",
    "min": "Minimum",
    "count": "SampleCount",
    "samples": "SampleCount",
    "total": "Sum",
    "median": "p50",
}
_EXPECTED = (
    f"expected {', '.join(_PLAIN)}, a percentile such as p99.9, or a trimmed statistic such as "
    "tm95, TM(10%:90%), WM(:98%), TC(0.5:2), TS(80%:) or PR(:300)"
)
_WHOLE = 100.0

_Bound = tuple[float, bool]


def statistic_problem(statistic: str) -> str | None:
    """Return what is wrong with a statistic, or None for one that CloudWatch has."""
    if statistic in _PLAIN or _ONE_BOUND.fullmatch(statistic):
        return None
    if match := _TWO_BOUNDS.fullmatch(statistic):
        problem = _range_problem(match[1], match[2], match[3])
        return problem and f"{statistic!r}: {problem}"
    near = _nearest(statistic)
    hint = f"; did you mean {near!r}?" if near else ""
    return f"{statistic!r} is not valid; {_EXPECTED}{hint}"


def is_total(statistic: str) -> bool:
    """Return True if a statistic grows with the period, as sums and counts do."""
    return statistic in ("Sum", "SampleCount") or statistic.upper().startswith(("TS", "TC"))


def _range_problem(kind: str, low: str, high: str) -> str | None:
    if not low and not high:
        return f"has no bounds; expected one or two, such as {kind}(:{_example(kind)})"
    bounds = [_parsed(text) if text else None for text in (low, high)]
    given = [bound for text, bound in zip((low, high), bounds, strict=True) if text]
    known = [bound for bound in given if bound]
    if len(known) < len(given):
        return "a bound is a number or a percentage, with up to 10 decimal places"
    return _unit_problem(kind, known) or _order_problem(known)


def _parsed(text: str) -> _Bound | None:
    match = _BOUND.fullmatch(text)
    return (float(match[1]), bool(match[2])) if match else None


def _unit_problem(kind: str, bounds: list[_Bound]) -> str | None:
    percentages = {percentage for _, percentage in bounds}
    if len(percentages) > 1:
        return "both bounds must be percentages, or both values of the metric"
    if kind == "PR" and True in percentages:
        return "the bounds of PR are values of the metric, not percentages"
    if kind == "WM" and False in percentages:
        return "the bounds of WM are percentages, such as WM(10%:90%)"
    return None


def _order_problem(bounds: list[_Bound]) -> str | None:
    if any(percentage and value > _WHOLE for value, percentage in bounds):
        return "percentages are between 0% and 100%"
    values = [value for value, _ in bounds]
    if values != sorted(set(values)):
        return "the lower bound must be below the upper"
    return None


def _example(kind: str) -> str:
    return "300" if kind == "PR" else "90%"


def _nearest(statistic: str) -> str | None:
    """Return the valid statistic that was probably meant."""
    plain = {name.lower(): name for name in _PLAIN} | _OTHER_NAMES
    lower = "".join(statistic.split()).lower()
    if _ONE_BOUND.fullmatch(lower):
        return lower
    if _TWO_BOUNDS.fullmatch(lower.upper()):
        return lower.upper()
    found = get_close_matches(lower, plain, n=1)
    return plain[found[0]] if found else None
