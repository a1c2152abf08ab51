"""CSV files: a series on a regular grid, or one sentence that names the file."""

import math
import tempfile
from datetime import UTC
from pathlib import Path

from cutwatch_cli.csv_files.csv_series import CsvError, MetricSeries, read_csv, write_csv
from tests.fuzz.harness import Harness, names

_ROWS = "".join(f"2026-03-01T{hour:02}:00:00Z,{hour % 7}.5\n" for hour in range(24))
_SEEDS = (
    f"timestamp,value\n{_ROWS}".encode(),
    b"timestamp,value\n1700000000,1\n1700000300,2\n1700000600,\n1700000900,4\n",
    b"value,timestamp\n1,1700000000000\n2,1700000060000\nNaN,1700000120000\n",
    b"\xef\xbb\xbfid,Timestamp,Value\n1,2026-03-01 00:00,1e3\n2,2026-03-01 00:05,-1\n",
    b"Id,m1\nStatusCode,Complete\nMessages,\nFull label,a\nLabel,a\n2026/03/01 00:00,1\n2026/03/01 00:05,2\n",
    b'{"Datapoints":[{"Timestamp":"2026-03-01T00:00Z","Sum":1},{"Timestamp":"2026-03-02T00:00Z","Sum":2}]}',
    b'{"MetricDataResults":[{"Id":"m","Timestamps":["2026-03-01T00:00Z","2026-03-02T00:00Z"],"Values":[1,2]}]}',
    b"sep=;\nTime;Value\n31.03.2026 00:00;1\n01.04.2026 00:00;2\n",
    b"series,time,value\na,3/31/2026 1:00 AM,1\na,3/31/2026 2:00 AM,2\nb,3/31/2026 1:00 AM,3\n",
    b'timestamp,value\n"2026-03-01T00:00:00+01:00",1\n"2026-03-02T00:00:00+01:00",2\n',
)


# A damaged timestamp may leave a gap of decades, which takes seconds to write; a gap of days is written like it.
_MOST_WRITTEN = 5_000
# One folder for all inputs: to make and remove one takes longer than to read a file.
_FOLDER = tempfile.TemporaryDirectory()


def check(data: bytes) -> None:
    path = Path(_FOLDER.name) / "metric.csv"
    path.write_bytes(data)
    try:
        series = read_csv(path)
    except CsvError as error:
        names(error, str(path))
        return
    _check_series(series)
    if len(series.values) > _MOST_WRITTEN:
        return
    write_csv(series, path)
    again = read_csv(path)
    if again.period_seconds == series.period_seconds:
        assert _datapoints(again).keys() <= _datapoints(series).keys()


def _check_series(series: MetricSeries) -> None:
    assert series.start.tzinfo is UTC
    assert int(series.start.timestamp()) % series.period_seconds == 0
    assert not any(math.isinf(value) for value in series.values)
    assert len(_datapoints(series)) > 0
    assert all(0 <= position < len(series.values) for position in series.positions)


def _datapoints(series: MetricSeries) -> dict[float, float]:
    """By epoch second."""
    start = series.start.timestamp()
    return {
        start + number * series.period_seconds: value
        for number, value in enumerate(series.values)
        if not math.isnan(value)
    }


CSV_FILES = Harness(
    check,
    _SEEDS,
    words=("timestamp", "value", "2026-03-01T00:00:00Z", "1e308", "nan", "inf", '"', "\\x00"),
)
