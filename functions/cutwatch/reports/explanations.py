"""The most frequent explanations of an hour's anomalies, in words."""

from itertools import islice
from typing import NamedTuple

from cutwatch.reports.hour_report import HourReport

MOST_EXPLANATIONS = 5


class Explanation(NamedTuple):
    """Number of anomalies that a column is the first reason of, and the sentence of the most severe one."""

    column: str
    records: int
    example: str


def explanations(report: HourReport) -> list[Explanation]:
    """Return the explanations of an hour, those of the most anomalies first."""
    examples = {each["column"]: each["reasons"][0] for each in reversed(report.listed()) if each["reasons"]}  # fmt: skip
    found = (
        Explanation(column, number, examples[column])
        for column, number in report.reasons.most_common()
        if column in examples
    )
    return [*islice(found, MOST_EXPLANATIONS)]
