"""Seconds of making rows of a table's items, in a function's code with its memory, and by the Glue job in Spark.

    PYTHONPATH=functions:cli:localaws/src:. .venv/bin/python benchmarks/preparation.py --items 10000 100000 1000000 [--spark]

`make spark` makes the virtual environment of `--spark`. Reading the table, which the read units limit, is not counted.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cutwatch.detectors.watched_table import WatchedTable
from cutwatch.tables.preparation import Rows
from cutwatch.tables.recipe import TableRecipe
from tests.spark.exports import write_export

PROJECT = Path(__file__).resolve().parents[1]
SPARK = PROJECT / "build" / "spark" / "bin" / "python"
TABLE = WatchedTable("taxi", "taxi", {"ridecount": "ridecount", "difference": "difference"})
PAGE = 1_000


def items(count: int) -> list[dict[str, dict[str, str]]]:
    return [
        {"id": {"S": f"{n:012d}"}, "ridecount": {"N": str(n % 25_013)}, "difference": {"N": f"{n % 997}.5"}}
        for n in range(count)
    ]  # fmt: skip


def in_a_function(count: int) -> None:
    """Run in a process of its own, which prints seconds and the peak of its memory beyond the items."""
    found = items(count)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    rows = Rows(TABLE)
    for start in range(0, count, PAGE):
        rows.take(found[start : start + PAGE])
    content = "".join(rows.lines)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        json.dumps({"seconds": seconds, "mb": (peak - before) / 1024, "csv_mb": len(content) / 1e6})
    )


def in_spark(count: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        write_export(place / "export", items(count), files=8)
        options = {
            "export": place / "export",
            "rows": place / "rows",
            "summary": place / "summary",
            "recipe": TableRecipe.of(TABLE).to_json(),
            "items": count,
        }
        arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        submit = "--master local[2] --driver-memory 2g --conf spark.ui.enabled=false pyspark-shell"
        environment = os.environ | {"PYSPARK_PYTHON": str(SPARK), "PYSPARK_SUBMIT_ARGS": submit}
        started = time.perf_counter()
        subprocess.run(
            [SPARK, PROJECT / "glue" / "prepare_records.py", *arguments],
            env=environment, check=True, capture_output=True,
        )  # fmt: skip
        return {"seconds": time.perf_counter() - started}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--spark", action="store_true")
    parser.add_argument("--only", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only:
        in_a_function(given.only)
        return
    for count in given.items:
        finished = subprocess.run(
            [sys.executable, __file__, "--only", str(count)],
            check=True,
            capture_output=True,
            text=True,
        )
        print(f"{count:>10,} function {finished.stdout.strip()}", flush=True)
        if given.spark:
            print(f"{count:>10,} Spark    {json.dumps(in_spark(count))}", flush=True)


if __name__ == "__main__":
    main()
