"""`cutwatch demo`: the application on generated data, on the local AWS."""

from pathlib import Path
from typing import Annotated

import typer

from cutwatch_cli.commands.local_aws import check_installed
from cutwatch_cli.commands.options import BUILD


def demo(
    output: Annotated[Path, typer.Option(help="Folder for the data and the report.")] = BUILD
    / "demo",
    seed: Annotated[int, typer.Option(help="Seed of the generated data.")] = 7,
) -> None:
    """Run Cutwatch on generated data with known anomalies."""
    check_installed("cutwatch demo")
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
