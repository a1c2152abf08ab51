"""`cutwatch demo`: the application on generated data, on the local AWS."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cutwatch_cli.commands.exits import USAGE_ERROR, end
from cutwatch_cli.commands.local_aws import check_installed
from cutwatch_cli.commands.options import BUILD, AsJson


class StreamKind(StrEnum):
    """Kinds of streams that have a demo."""

    KINESIS = "kinesis"
    DYNAMODB = "dynamodb"
    KAFKA = "kafka"


class Engine(StrEnum):
    """Engines of a table's demo."""

    ENDPOINT = "endpoint"
    FOREST = "forest"


def demo(
    output: Annotated[Path, typer.Option(help="Folder for the data and the report.")] = BUILD
    / "demo",
    seed: Annotated[int, typer.Option(help="Seed of the generated data.")] = 7,
    stream: Annotated[
        StreamKind | None,
        typer.Option(help="Score records of a stream instead of metrics.", show_default=False),
    ] = None,
    live: Annotated[
        bool,
        typer.Option("--live", help="Score the last two weeks live, minutes after each datapoint."),
    ] = False,
    live_minutes: Annotated[
        int, typer.Option(help="With --live: minutes between two runs, 1, 5, 15 or 60.")
    ] = 5,
    rides: Annotated[
        Path | None,
        typer.Option(
            "--csv",
            help="Rides in half hours instead of generated ones, with --stream dynamodb: columns timestamp, value.",
            show_default=False,
        ),
    ] = None,
    engine: Annotated[
        Engine | None,
        typer.Option(
            help="With --stream dynamodb: endpoint, the default, or forest.", show_default=False
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run Cutwatch on generated data with known anomalies."""
    check_installed("cutwatch demo")
    if mistake := _mistake(stream, rides, engine, live=live, as_json=as_json):
        end(mistake, USAGE_ERROR)
    if live:
        _live(seed, live_minutes, as_json=as_json)
    elif stream is StreamKind.DYNAMODB:
        _dynamodb(seed, rides, engine or Engine.ENDPOINT, as_json=as_json)
    elif stream is StreamKind.KINESIS:
        _kinesis(seed, as_json=as_json)
    elif stream is StreamKind.KAFKA:
        _kafka(output, seed, as_json=as_json)
    else:
        _metrics(output, seed)


def _mistake(
    stream: StreamKind | None,
    rides: Path | None,
    engine: Engine | None,
    *,
    live: bool,
    as_json: bool,
) -> str | None:
    """Return why the options do not belong together; None if they do."""
    if live and stream:
        return "--live and --stream are two demos; choose one"
    if rides and stream is not StreamKind.DYNAMODB:
        return "--csv belongs to --stream dynamodb"
    if engine and stream is not StreamKind.DYNAMODB:
        return "--engine belongs to --stream dynamodb"
    if as_json and not (live or stream):
        return "--json belongs to --live and --stream"
    return None


def _metrics(output: Path, seed: int) -> None:
    from cutwatch.detectors.detector import Detector
    from cutwatch_cli.commands.replaying import show_replay
    from cutwatch_cli.csv_files.csv_series import write_csv
    from cutwatch_cli.replay.demo_data import active_users

    data = active_users(seed)
    output.mkdir(parents=True, exist_ok=True)
    write_csv(data.series, output / "active-users.csv")
    detector = Detector(
        name="active-users",
        namespace="VideoPlatform",
        metric="ActiveUsers",
        statistic="Average",
        period=data.series.period_seconds,
        missing_data="anomalous",
    )
    planted = [(p.start, p.end, p.kind) for p in data.planted]
    show_replay(data.series, detector, output / "report.html", planted=planted)


def _live(seed: int, minutes: int, *, as_json: bool) -> None:
    from cutwatch_cli.commands.live_demo import show_live_demo

    show_live_demo(seed, minutes, as_json=as_json)


def _kinesis(seed: int, *, as_json: bool) -> None:
    from rich.console import Console

    from cutwatch_cli.streams.demo_presentation import present, with_progress
    from cutwatch_cli.streams.demo_records import PLANTED, fleet
    from cutwatch_cli.streams.kinesis_demo import run_demo

    console = Console(highlight=False, soft_wrap=True, stderr=as_json)
    outcome = with_progress(console, lambda show: run_demo(fleet(seed), PLANTED, show))
    if as_json:
        typer.echo(json.dumps(outcome.to_payload(), indent=2))
    else:
        present(console, outcome)


def _kafka(output: Path, seed: int, *, as_json: bool) -> None:
    from cutwatch_cli.commands.kafka_demo import show_kafka_demo

    show_kafka_demo(output, seed, as_json=as_json)


def _dynamodb(seed: int, rides: Path | None, engine: Engine, *, as_json: bool) -> None:
    from rich.console import Console

    from cutwatch_cli.streams.demo_presentation import with_progress
    from cutwatch_cli.tables.demo import run_demo
    from cutwatch_cli.tables.demo_presentation import present
    from cutwatch_cli.tables.ridership import generated, read_rides

    try:
        ridership = read_rides(rides) if rides else generated(seed)
    except (OSError, ValueError) as error:
        end(str(error), USAGE_ERROR)
    console = Console(highlight=False, soft_wrap=True, stderr=as_json)
    outcome = with_progress(console, lambda show: run_demo(ridership, show, engine.value))
    if as_json:
        typer.echo(json.dumps(outcome.to_payload(), indent=2))
    else:
        present(console, outcome)
