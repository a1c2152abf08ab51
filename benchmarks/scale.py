"""The tables of docs/scale.md: what 1 to 10,000 detectors ask of AWS, and cost.

PYTHONPATH=functions:. .venv/bin/python benchmarks/scale.py            # prints them
PYTHONPATH=functions:. .venv/bin/python benchmarks/scale.py --write    # puts them into the document
"""

import re
from collections.abc import Callable, Mapping, Sequence
from math import ceil
from pathlib import Path
from typing import Annotated

import typer

from cutwatch.aws.limits import (
    EXECUTION_HISTORY_MAX_EVENTS,
    GET_METRIC_DATA_MAX_DATAPOINTS,
    STATE_PAYLOAD_MAX_BYTES,
)
from cutwatch.detectors.detector import Detector, Engine
from cutwatch.registry.run import Kind
from cutwatch_cli.cost.assumptions import Assumptions
from cutwatch_cli.cost.estimate import Estimate
from cutwatch_cli.cost.fleet import ENGINES, Schedule, group
from cutwatch_cli.cost.prices import PRICES
from cutwatch_cli.cost.run_work import DATUMS_PER_DATAPOINT, SUMMARY_DATUMS, RunWork

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "scale.md"
SIZES = (1, 100, 1_000, 10_000)
ASSUME = Assumptions()
SCHEDULES = {
    name: Schedule(ASSUME.hours_per_month / hours)
    for name, hours in (("weekly", 168), ("daily", 24), ("hourly", 1))
}
_PLACE = re.compile(r"<!-- table: ([a-z ]+) -->\n\n.*?\n\n<!-- end -->", re.DOTALL)
# From here on decimals say nothing.
_WHOLE = 10
DETECTOR = Detector(
    name="checkout-errors-00001",
    namespace="AWS/ApiGateway",
    metric="5XXError",
    dimensions={"ApiName": "checkout"},
    statistic="Sum",
    missing_data="zero",
)


def _datums(work: RunWork) -> float:
    each = DATUMS_PER_DATAPOINT * work.new_datapoints_each + SUMMARY_DATUMS
    return work.detectors.count * each if work.kind == "transform" else 0


def _at_once(work: RunWork) -> float:
    at_once = (ASSUME.sagemaker_concurrency, ASSUME.lambda_concurrency)
    return min(at_once[ENGINES.index(work.detectors.engine)], work.children)


def _function_seconds(work: RunWork) -> float:
    """Of a batch's functions, if they share the work evenly."""
    return work.heavy_seconds / work.children / work.shape.heavy


def _each_second(work: RunWork, calls: float) -> float:
    return calls / (work.minutes * 60)


ROWS: Mapping[str, Callable[[RunWork], float]] = {
    "child executions": lambda work: work.children,
    "history events of a child": lambda work: work.child_events,
    "bytes of a child's state": lambda work: work.child_payload_bytes,
    "state transitions": lambda work: work.transitions,
    "function invocations": lambda work: work.invocations,
    "Lambda GB-seconds": lambda work: work.gb_seconds,
    "SageMaker jobs": lambda work: work.detectors.count * work.shape.jobs,
    "SageMaker instance minutes": lambda work: 60 * (work.training_hours + work.transform_hours),
    "GetMetricData calls": lambda work: work.get_calls,
    "metrics requested (billed)": lambda work: work.metrics_requested,
    "datapoints read": lambda work: work.detectors.count * work.read_datapoints_each,
    "PutMetricData calls": lambda work: work.put_calls,
    "datums published": _datums,
    "S3 objects written": lambda work: work.s3_puts,
    "S3 objects read": lambda work: work.s3_gets,
    "DynamoDB write units": lambda work: work.detectors.count * work.write_units_each,
    "DynamoDB reads": lambda work: work.detectors.count * work.shape.reads,
    "minutes": lambda work: work.minutes,
}
# Each with what AWS allows and what a weekly transform takes of it.
LIMITS: Sequence[tuple[str, str, Callable[[RunWork], float]]] = (
    ("bytes of a state", f"{STATE_PAYLOAD_MAX_BYTES:,}", lambda work: work.child_payload_bytes),
    (
        "events of an execution",
        f"{EXECUTION_HISTORY_MAX_EVENTS:,}",
        lambda work: work.child_events,
    ),
    ("child executions at once", "10,000", lambda work: min(work.children, _at_once(work))),
    ("SageMaker jobs at once", "often 4 to 8", lambda work: work.shape.jobs and _at_once(work)),
    ("seconds of a function", "900", _function_seconds),
    (
        "datapoints in a response",
        f"{GET_METRIC_DATA_MAX_DATAPOINTS:,}",
        lambda work: work.read_datapoints_each * work.detectors.count / work.get_calls,
    ),
    ("queries in a call", "500", lambda work: work.detectors.count / work.get_calls),
    ("GetMetricData calls a second", "50", lambda work: _each_second(work, work.get_calls)),
    ("PutMetricData calls a second", "500", lambda work: _each_second(work, work.put_calls)),
    (
        "DynamoDB write units a second",
        "1,000",
        lambda work: _each_second(work, work.detectors.count * work.write_units_each),
    ),
    ("minutes between transforms", "10,080", lambda work: work.minutes),
)


def tables() -> dict[str, str]:
    """Markdown by name."""
    kinds: tuple[Kind, ...] = ("transform", "training")
    works = {f"{engine} {kind}": _work_table(engine, kind) for engine in ENGINES for kind in kinds}
    return {"dollars": _dollars_table(), "limits": _limits_table(), **works}


def with_tables(document: str) -> str:
    """The document with each table between its markers made anew."""
    made = tables()
    named = _PLACE.findall(document)
    if sorted(named) != sorted(made):
        raise ValueError(f"the document has places for {named}, and the tables are {list(made)}")
    return _PLACE.sub(
        lambda place: f"<!-- table: {place[1]} -->\n\n{made[place[1]]}\n\n<!-- end -->", document
    )


def _work(engine: Engine, kind: Kind, size: int, schedule: str = "weekly") -> RunWork:
    (detectors,) = group([DETECTOR], size, engine)
    return RunWork(detectors, kind, SCHEDULES[schedule], ASSUME)


def _dollars_table() -> str:
    heading = ["detectors", "engine", *SCHEDULES, "CloudWatch's own alarm"]
    rows = [
        [
            f"{size:,}",
            engine,
            *_dollars(engine, size),
            f"${size * PRICES['anomaly_alarm'].each:,.2f}",
        ]
        for size in SIZES
        for engine in ENGINES
    ]
    return _markdown(heading, rows)


def _dollars(engine: Engine, size: int) -> list[str]:
    """Prorated, and in brackets with custom metrics billed for the whole month."""
    groups = group([DETECTOR], size, engine)
    bills = [Estimate(groups, schedule, PRICES, ASSUME).bill for schedule in SCHEDULES.values()]
    return [f"${bill.total:,.2f} ({bill.unprorated:,.2f})" for bill in bills]


def _work_table(engine: Engine, kind: Kind) -> str:
    works = [_work(engine, kind, size) for size in SIZES]
    rows = [[name, *(_number(of(work)) for work in works)] for name, of in ROWS.items()]
    used = [row for row in rows if set(row[1:]) != {"0"}]
    return _markdown([f"{engine}, one {kind}", *(f"{size:,}" for size in SIZES)], used)


def _limits_table() -> str:
    heading = ["", "AWS allows", *(f"{size:,}" for size in SIZES)]
    rows = [
        [
            name,
            allowed,
            *(
                " / ".join(_number(of(_work(engine, "transform", size))) for engine in ENGINES)
                for size in SIZES
            ),
        ]
        for name, allowed, of in LIMITS
    ]
    return _markdown(heading, rows)


def _number(exact: float) -> str:
    number = round(exact, 6)
    return f"{ceil(number):,}" if number >= _WHOLE or number == int(number) else f"{number:.2g}"


def _markdown(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heading, ["---", *["---:"] * (len(heading) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main(
    write: Annotated[bool, typer.Option("--write", help="Put them into docs/scale.md.")] = False,  # noqa: FBT002
) -> None:
    """Print the tables, or write them into the document."""
    if write:
        DOCUMENT.write_text(with_tables(DOCUMENT.read_text()))
        return
    for name, table in tables().items():
        print(f"\n{name}\n\n{table}")


if __name__ == "__main__":
    typer.run(main)
