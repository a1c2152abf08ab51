"""`cutwatch demo`: the application on generated data, on the local AWS."""

from pathlib import Path
from typing import Annotated

import typer

from cutwatch_cli.commands.exits import USAGE_ERROR, end
from cutwatch_cli.commands.local_aws import check_installed
from cutwatch_cli.commands.options import BUILD


def demo(
    output: Annotated[Path, typer.Option(help="Folder for the data and the report.")] = BUILD
    / "demo",
    seed: Annotated[int, typer.Option(help="Seed of the generated data.")] = 7,
    live: Annotated[
        bool,
        typer.Option("--live", help="Score the last two weeks live, minutes after each datapoint."),
    ] = False,
    live_minutes: Annotated[
        int, typer.Option(help="With --live: minutes between two runs, 1, 5, 15 or 60.")
    ] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="With --live: print JSON.")] = False,
) -> None:
    """Run Cutwatch on generated data with known anomalies."""
    check_installed("cutwatch demo")
    if live:
        from cutwatch_cli.commands.live_demo import show_live_demo

        show_live_demo(seed, live_minutes, as_json=as_json)
        return
    if as_json:
        end("--json is for --live", USAGE_ERROR)
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
