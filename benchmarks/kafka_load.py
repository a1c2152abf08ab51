"""Log records through Apache Kafka, the mapping, the scoring function and the hourly report on the local AWS: rates, and nothing lost or doubled.

    PYTHONPATH=functions:cli .venv/bin/python benchmarks/kafka_load.py --partitions 1 --partitions 3 --partitions 12
    PYTHONPATH=functions:cli .venv/bin/python benchmarks/kafka_load.py --partitions 3 --minutes 10 --per-minute 100000 --rebalance 30

Each run has an application of its own. A shop's log is sent minute by minute of its time; each piece is delivered to its end before the next one is sent. Rates
are records per second of real time, of everything on one machine: the broker, the local AWS and the functions take turns on its processors. With
`--rebalance`, all members of the consumer group are replaced after that many seconds of the log.
"""

import json
import os
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cutwatch.detectors.kafka_source import MOST_TOPICS
from cutwatch.detectors.stream import IncidentBegin, Stream
from cutwatch_cli.access_logs.demo_log import BY_RECORD, START
from cutwatch_cli.access_logs.kafka_application import KafkaApplication
from cutwatch_cli.access_logs.kafka_outcome import StreamCounts
from cutwatch_cli.access_logs.shop import Shop, json_line
from localaws import LocalAws
from localaws.kafka.broker import KafkaBroker, jars_directory

MINUTE, HOUR = 60, 3_600
# The training has the hour and the load of the run.
TRAINING = timedelta(minutes=2)
MOST_TRAINED = 100_000
_REPORT_SECONDS = 300


@dataclass(frozen=True)
class LoadRun:
    """A run. `slowest_minute` is the longest real time, in seconds, that a minute of the log took."""

    partitions: int
    minutes: int
    sent: int
    scored: int
    late: int
    lost: int
    doubled: int
    rebalances: int
    seconds: float
    slowest_minute: float
    records_per_second: float
    load_average: float


def run(
    broker: KafkaBroker,
    partitions: int,
    minutes: int,
    per_minute: int,
    rebalance: int = 0,
    topics: int = 1,
) -> LoadRun:
    """Send `minutes` of a log to new topics, and compare what was sent with what was scored and reported."""
    names = [f"load-{partitions}-{rebalance}-{number}" for number in range(topics)]
    stream = replace(BY_RECORD, source=f"kafka:{','.join(names)}", notify=IncidentBegin())
    begin = int(START.timestamp()) + 2 * int(TRAINING.total_seconds())
    lines = _lines(begin, minutes, per_minute, seed=1)
    with LocalAws() as aws:
        aws.clock.move_to(START)
        past = _lines(int(START.timestamp()), int(TRAINING.total_seconds()) // MINUTE, per_minute, seed=2)  # fmt: skip
        application = KafkaApplication(
            aws,
            broker.address,
            [stream],
            [line for _, line in past][-MOST_TRAINED:],
            partitions=partitions,
            parameters={"MaximumPollers": str(partitions)},
        )
        application.train(stream)
        return _measured(application, stream, lines, begin, minutes, rebalance)


def _measured(
    application: KafkaApplication,
    stream: Stream,
    lines: list[tuple[float, bytes]],
    begin: int,
    minutes: int,
    rebalance: int,
) -> LoadRun:
    piece = rebalance or MINUTE
    pieces: dict[int, list[tuple[float, bytes]]] = {}
    for time, line in lines:
        number = min(int((time - begin) // piece), minutes * MINUTE // piece - 1)
        pieces.setdefault(number, []).append((time, line))
    taken, rebalances = dict.fromkeys(range(minutes), 0.0), 0
    for number, part in sorted(pieces.items()):
        started = perf_counter()
        application.produce(part)
        application.move_to(begin + (number + 1) * piece)
        application.aws.event_sources.settle()
        taken[number * piece // MINUTE] += perf_counter() - started
        if rebalance:
            application.rejoin()
            rebalances += 1
    application.move_to((begin // HOUR + 1) * HOUR + _REPORT_SECONDS)
    application.fire("EveryHour")
    reports = [report for _, report in application.reports(stream)]
    counts = StreamCounts.of(application.totals(stream), reports)
    application.aws.event_sources.stop()
    seconds = sum(taken.values())
    return LoadRun(
        partitions=application.partitions,
        minutes=minutes,
        sent=len(lines),
        scored=counts.accepted,
        late=counts.late,
        lost=counts.lost(len(lines)),
        doubled=counts.doubled(len(lines)),
        rebalances=rebalances,
        seconds=round(seconds, 1),
        slowest_minute=round(max(taken.values()), 1),
        records_per_second=round(len(lines) / seconds, 1),
        load_average=round(os.getloadavg()[0], 1),
    )


def _lines(begin: int, minutes: int, per_minute: int, seed: int) -> list[tuple[float, bytes]]:
    """Return the lines of exactly `per_minute` requests in each minute, with their times."""
    shop = Shop(begin, minutes * MINUTE, seed=seed)
    rate = 1.1 * per_minute / MINUTE * shop.busiest_rate / shop.rate(begin)
    found: dict[int, list[tuple[float, bytes]]] = {}
    for each in replace(shop, busiest_rate=rate).requests():
        # Times are rounded to milliseconds, the last ones to the end.
        minute = min(int((each.event.time - begin) // MINUTE), minutes - 1)
        found.setdefault(minute, []).append((each.event.time, json_line(each.event).encode()))
    step = [len(minute) / per_minute for minute in found.values()]
    return [
        minute[int(number * share)]
        for minute, share in zip(found.values(), step, strict=True)
        for number in range(per_minute)
    ]


def main(
    partitions: Annotated[list[int], typer.Option(help="Partitions of each topic; repeat it for several runs.")] = [1, 3, 12],  # noqa: B006 - typer copies it
    minutes: Annotated[int, typer.Option(help="Minutes of the log.", min=1, max=50)] = 1,
    per_minute: Annotated[int, typer.Option(help="Records a minute.", min=60)] = 20_000,
    rebalance: Annotated[int, typer.Option(help="Seconds of the log between rebalances; 0 for none.", min=0, max=60)] = 0,
    topics: Annotated[int, typer.Option(help="Topics.", min=1, max=MOST_TOPICS)] = 1,
    jars: Annotated[Path | None, typer.Option(help="Directory of Kafka's files.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:  # fmt: skip
    """Measure, and fail if a run lost or doubled a record."""
    with KafkaBroker(jars or jars_directory()) as broker:
        runs = [run(broker, each, minutes, per_minute, rebalance, topics) for each in partitions]
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in runs], indent=2))
    else:
        Console(width=120).print(_table(runs))
    raise typer.Exit(any(each.lost or each.doubled for each in runs))


def _table(runs: list[LoadRun]) -> Table:
    table = Table(box=None)
    for heading in asdict(runs[0]):
        table.add_column(heading.replace("_", " "), justify="right")
    for each in runs:
        table.add_row(*(f"{value:,}" for value in asdict(each).values()))
    return table


if __name__ == "__main__":
    typer.run(main)
