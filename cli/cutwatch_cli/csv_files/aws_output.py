"""Tables from CloudWatch's own outputs: the console's CSV export, and the JSON of the AWS CLI."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cutwatch_cli.csv_files.reading import CsvError, one_line, shown
from cutwatch_cli.csv_files.table import Table

_CONSOLE_ROWS = ("id", "statuscode", "messages", "full label", "label")
_COMPLETE = "Complete"
_STATISTICS, _METRIC_DATA = "Datapoints", "MetricDataResults"
_EXPECTED_JSON = "expected the output of `aws cloudwatch get-metric-statistics` or `aws cloudwatch get-metric-data`"


def is_console_export(rows: Sequence[Sequence[str]]) -> bool:
    """Return True if the rows begin as the CloudWatch console's export does."""
    return len(rows) > 1 and all(_console_key(row) in _CONSOLE_ROWS for row in rows[:2])


def console_table(path: Path, rows: list[list[str]], places: list[int]) -> Table:
    """Return the table of a console export: one column of values per metric, named by its label."""
    about: dict[str, list[str]] = {}
    for row in rows:
        if (key := _console_key(row)) not in _CONSOLE_ROWS:
            break
        about[key] = [one_line(cell.strip()) for cell in row[1:]]
    width = max(map(len, about.values()))
    names = next(
        (found for key in ("label", "full label", "id") if _distinct(found := about.get(key, []))),
        [f"metric {number}" for number in range(1, width + 1)],
    )
    notes = [_partial(name) for name in about.get("statuscode", []) if name not in ("", _COMPLETE)]
    table = Table(
        path, ["timestamp", *names], rows[len(about) :], places[len(about) :], notes=notes
    )
    for position, row in enumerate(table.rows):
        if len(row) != len(table.header):
            raise table.error(
                position, f"has {len(row)} cells, but the export has {len(table.header)} columns"
            )
    return table


def json_table(path: Path, text: str) -> Table:
    """Return the table of a JSON document of the AWS CLI. Raises `CsvError`."""
    try:
        # Numbers stay text: they are parsed, and refused, as the cells of a CSV file are.
        document = json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise CsvError(f"{path}: is not JSON: {error}") from None
    if isinstance(document, dict) and isinstance(document.get(_STATISTICS), list):
        return _statistics_table(path, document[_STATISTICS])
    if isinstance(document, dict) and isinstance(document.get(_METRIC_DATA), list):
        return _metric_data_table(path, document[_METRIC_DATA])
    raise CsvError(f"{path}: is JSON without {_STATISTICS} or {_METRIC_DATA}; {_EXPECTED_JSON}")


def _console_key(row: Sequence[str]) -> str:
    return row[0].strip().lower()


def _distinct(names: Sequence[str]) -> bool:
    return bool(names) and all(names) and len(set(names)) == len(names)


def _partial(status: str) -> str:
    return f"CloudWatch marked the data as {status}, not {_COMPLETE}: datapoints may be missing."


def _statistics_table(path: Path, datapoints: Sequence[Any]) -> Table:
    if not datapoints:
        raise CsvError(f"{path}: contains no datapoints")
    records = [_flat(path, number, each) for number, each in enumerate(datapoints, start=1)]
    header = list(dict.fromkeys(name for record in records for name in record))
    rows = [[record.get(name, "") for name in header] for record in records]
    return Table(path, header, rows, list(range(1, len(rows) + 1)), part="datapoint")


def _flat(path: Path, number: int, datapoint: Any) -> dict[str, str]:
    """Return the cells of a datapoint, each percentile in a column of its own."""
    if not isinstance(datapoint, dict):
        raise CsvError(f"{path}, datapoint {number}: {shown(str(datapoint))}; {_EXPECTED_JSON}")
    extended = datapoint.get("ExtendedStatistics")
    plain = {name: value for name, value in datapoint.items() if name != "ExtendedStatistics"}
    cells = plain | (extended if isinstance(extended, dict) else {})
    return {one_line(name): "" if value is None else str(value) for name, value in cells.items()}


def _metric_data_table(path: Path, results: Sequence[Any]) -> Table:
    for number, result in enumerate(results, start=1):
        _check_result(path, number, result)
    names = _series_names(results)
    rows = [
        [names[str(result.get("Id"))], str(timestamp), str(value)]
        for result in results
        for timestamp, value in zip(result["Timestamps"], result["Values"], strict=True)
    ]
    notes = [
        _partial(str(status))
        for result in results
        if (status := result.get("StatusCode", _COMPLETE)) != _COMPLETE
    ]
    places = list(range(1, len(rows) + 1))
    return Table(
        path, ["series", "timestamp", "value"], rows, places, part="datapoint", notes=notes
    )


def _check_result(path: Path, number: int, result: Any) -> None:
    lists = (
        [result.get(name) for name in ("Timestamps", "Values")] if isinstance(result, dict) else []
    )
    if not lists or not all(isinstance(each, list) for each in lists):
        raise CsvError(f"{path}, result {number}: has no Timestamps and Values; {_EXPECTED_JSON}")
    timestamps, values = (len(each) for each in lists if each is not None)
    if timestamps != values:
        raise CsvError(f"{path}, result {number}: has {timestamps} Timestamps but {values} Values")


def _series_names(results: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return a name for each Id: its label, or the label and the Id where Ids share a label."""
    labels = {str(result.get("Id")): str(result.get("Label") or "") for result in results}
    used = Counter(labels.values())
    return dict(_named(labels, used))


def _named(labels: Mapping[str, str], used: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    for identifier, label in labels.items():
        unique = label and used[label] == 1
        yield identifier, label if unique else f"{label} {identifier}".strip()
