"""`cutwatch report`: a page with the metrics, scores and events of a deployed stack."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cutwatch_cli.commands.events import check_asked
from cutwatch_cli.commands.options import (
    MISTAKE,
    PROBLEMS,
    STACK,
    Profile,
    Region,
    StackName,
    deployed,
    end,
    note,
)

if TYPE_CHECKING:
    from cutwatch_cli.stacks.reported_detectors import Reported

_OUTPUT = Path("build/report.html")


def report(
    detectors: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[DETECTOR]...",
            help="By default those with events, the worst 50.",
            show_default=False,
        ),
    ] = None,
    since: Annotated[
        str, typer.Option(help="How far back, such as 14d, 12h or 90m.", metavar="TIME")
    ] = "14d",
    output: Annotated[Path, typer.Option(help="The page, one file with everything.")] = _OUTPUT,
    stack: StackName = STACK,
    region: Region = None,
    profile: Profile = None,
) -> None:
    """Write a page with charts and events of detectors; exit code 1 if there is nothing to be shown."""
    from cutwatch_cli.stacks.durations import parse_duration
    from cutwatch_cli.stacks.reported_detectors import read_reports

    now = datetime.now(UTC)
    try:
        earliest = now - parse_duration(since, "--since")
    except (ValueError, OverflowError) as error:
        end(str(error), MISTAKE)
    with deployed(stack, region, profile) as deployment:
        check_asked(deployment, detectors or [], earliest, now)
        found = read_reports(deployment, detectors or [], earliest, now)
        where = f"Stack {stack} in {deployment.account.region}"
    for each in found.notes:
        note(each)
    time = f"since {earliest:%Y-%m-%d %H:%M} UTC"
    if not found.reports and not found.notes:
        typer.echo(
            f"No events {time}; no page written. Detectors that are named are shown all the same."
        )
        raise typer.Exit
    _write(found, output, f"{where}, {time}", now)


def _write(found: "Reported", output: Path, subtitle: str, now: datetime) -> None:
    from cutwatch_cli.report import Page, verdict, write_page

    if all(each.missing.all() and not each.events for each in found.reports):
        end(f"CloudWatch has no datapoints of these detectors: {subtitle}", PROBLEMS)
    try:
        write_page(Page("Cutwatch report", subtitle, found.reports, now, found.notes), output)
    except OSError as error:
        end(f"--output {output}: {error.strerror}", MISTAKE)
    typer.echo(f"{verdict(found.reports)}\nReport: {output}")
