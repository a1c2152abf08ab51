"""Seconds and memory of making rows of a table's items, in a function's code and by the Glue job in Spark.

    PYTHONPATH=functions:cli:localaws/src:. .venv/bin/python benchmarks/preparation.py --items 10000 100000 1000000 [--spark]
    PYTHONPATH=functions:cli:localaws/src:. .venv/bin/python benchmarks/preparation.py --items 1000000 4000000 --only-spark

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
ITEMS_A_FILE = 125_000
LOOK_SECONDS = 0.2


Items = list[dict[str, dict[str, str]]]


def items(count: int, first: int = 0) -> Items:
    return [
        {"id": {"S": f"{n:012d}"}, "ridecount": {"N": str(n % 25_013)}, "difference": {"N": f"{n % 997}.5"}}
        for n in range(first, first + count)
    ]  # fmt: skip


def write_exports(folder: Path, count: int) -> None:
    """Write an export as DynamoDB does, a file for every 125,000 items, as many in memory at once."""
    for first in range(0, count, ITEMS_A_FILE):
        part = items(min(ITEMS_A_FILE, count - first), first)
        write_export(folder / f"part-{first:010d}", part, files=1)


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
    """Return seconds, the peak of the memory of all processes, and the size of the export and of the rows in MB."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        write_exports(place / "export", count)
        options = {
            "export": place / "export" / "*",
            "rows": place / "rows",
            "summary": place / "summary",
            "recipe": TableRecipe.of(TABLE).to_json(),
            "items": count,
        }
        arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        submit = "--master local[2] --driver-memory 2g --conf spark.ui.enabled=false pyspark-shell"
        environment = os.environ | {"PYSPARK_PYTHON": str(SPARK), "PYSPARK_SUBMIT_ARGS": submit}
        started, peak = time.perf_counter(), 0.0
        job = subprocess.Popen(
            [SPARK, PROJECT / "glue" / "prepare_records.py", *arguments],
            env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        while job.poll() is None:
            peak = max(peak, resident_mb(job.pid))
            time.sleep(LOOK_SECONDS)
        if job.returncode:
            raise RuntimeError(f"Spark ended with {job.returncode}")
        return {
            "seconds": time.perf_counter() - started,
            "mb": peak,
            "export_mb": size_mb(place / "export"),
            "csv_mb": size_mb(place / "rows"),
        }


def resident_mb(process: int) -> float:
    """Return the resident memory of a process with its descendants; 0 for one that has ended."""
    proc = Path("/proc") / str(process)
    try:
        pages = int((proc / "statm").read_text().split()[1])
        children = (proc / "task" / str(process) / "children").read_text().split()
    except (OSError, IndexError):
        return 0.0
    own = pages * resource.getpagesize() / 1e6
    return own + sum(resident_mb(int(child)) for child in children)


def size_mb(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("part-*") if path.is_file()) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--spark", action="store_true")
    parser.add_argument("--only-spark", action="store_true")
    parser.add_argument("--only", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only:
        in_a_function(given.only)
        return
    for count in given.items:
        if not given.only_spark:
            print(f"{count:>10,} function {measured_function(count)}", flush=True)
        if given.spark or given.only_spark:
            print(f"{count:>10,} Spark    {json.dumps(in_spark(count))}", flush=True)


def measured_function(count: int) -> str:
    command = [sys.executable, __file__, "--only", str(count)]
    finished = subprocess.run(command, check=True, capture_output=True, text=True)
    return finished.stdout.strip()


if __name__ == "__main__":
    main()
