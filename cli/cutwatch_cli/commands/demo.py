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


def demo(
    output: Annotated[Path, typer.Option(help="Folder for the data and the report.")] = BUILD
    / "demo",
    seed: Annotated[int, typer.Option(help="Seed of the generated data.")] = 7,
    stream: Annotated[
        StreamKind | None,
        typer.Option(help="Score records of a stream instead of metrics.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run Cutwatch on generated data with known anomalies."""
    check_installed("cutwatch demo")
    if stream is StreamKind.KINESIS:
        _kinesis(seed, as_json=as_json)
        return
    if as_json:
        end("--json belongs to --stream", USAGE_ERROR)
    _metrics(output, seed)


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
