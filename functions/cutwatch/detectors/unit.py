"""Units of CloudWatch metrics, and their symbols."""

from typing import Literal, get_args

# CloudWatch's StandardUnit.
Unit = Literal[
    "Seconds",
    "Microseconds",
    "Milliseconds",
    "Bytes",
    "Kilobytes",
    "Megabytes",
    "Gigabytes",
    "Terabytes",
    "Bits",
    "Kilobits",
    "Megabits",
    "Gigabits",
    "Terabits",
    "Percent",
    "Count",
    "Bytes/Second",
    "Kilobytes/Second",
    "Megabytes/Second",
    "Gigabytes/Second",
    "Terabytes/Second",
    "Bits/Second",
    "Kilobits/Second",
    "Megabits/Second",
    "Gigabits/Second",
    "Terabits/Second",
    "Count/Second",
    "None",
]
UNITS: tuple[Unit, ...] = get_args(Unit)

_SYMBOLS = {
    "Seconds": "s",
    "Microseconds": "µs",
    "Milliseconds": "ms",
    "Percent": "%",
    "Count": "",
    "None": "",
    "Bytes": "B",
    "Bits": "bit",
}
_PREFIXES = {"Kilo": "k", "Mega": "M", "Giga": "G", "Tera": "T"}
_PER_SECOND = "/Second"
# Symbols that the prefix of a number joins: 1.2 MB, but 1.2 M ms.
_PREFIXED = ("B", "bit", "B/s", "bit/s")


def symbol(unit: str | None) -> str:
    """Return a unit's symbol: `ms`, `%`, `MB/s`; empty for none, for counts and for an unknown unit."""
    name = (unit or "").removesuffix(_PER_SECOND)
    rate = "/s" if unit and unit.endswith(_PER_SECOND) else ""
    prefix = next((prefix for prefix in _PREFIXES if name.startswith(prefix)), "")
    plain = _SYMBOLS.get(name.removeprefix(prefix).capitalize(), "")
    return f"{_PREFIXES.get(prefix, '')}{plain}{rate}"


def with_unit(number: str, unit: str | None) -> str:
    """Return a written number with its unit: `231 ms`, `1.2 MB`."""
    mark = symbol(unit)
    is_prefixed = number[-1:].isalpha() and mark in _PREFIXED
    return f"{number}{'' if is_prefixed else ' '}{mark}" if mark else number


def unit_of_values(unit: Unit | None, statistic: str) -> Unit | None:
    """Return the unit of a statistic's values, which may count datapoints of a metric in another unit."""
    if statistic == "SampleCount" or statistic.startswith("TC"):
        return "Count"
    return "Percent" if statistic.startswith("PR") else unit


def named_unit(text: str) -> Unit | None:
    """Return CloudWatch's unit of this name, in upper or lower case; None if it has no such unit."""
    return next((unit for unit in UNITS if unit.lower() == text.strip().lower()), None)
