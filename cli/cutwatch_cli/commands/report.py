"""`cutwatch report`: a page with the metrics, scores and events of a deployed stack."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cutwatch_cli.commands.exits import FAILURE, USAGE_ERROR, end, note
from cutwatch_cli.commands.options import BUILD, Profile, Region, StackName, deployed
from cutwatch_cli.commands.time_range import Since, TimeRange, check_scored, look_back

if TYPE_CHECKING:
    from cutwatch_cli.stacks.reported_detectors import Reported


def report(
    detectors: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="DETECTOR",
            help="Detectors to show; default: those with events, the worst 50.",
            show_default=False,
        ),
    ] = None,
    since: Since = "14d",
    output: Annotated[Path, typer.Option(help="HTML file to write.")] = BUILD / "report.html",
    stack: StackName = None,
    region: Region = None,
    profile: Profile = None,
) -> None:
    """Write a page with charts and events. Exit code 1 if there is nothing to show."""
    from cutwatch_cli.stacks.reported_detectors import read_reports

    span = look_back(since)
    with deployed(stack, region, profile) as deployment:
        shown = TimeRange.until(deployment.now, span)
        check_scored(deployment, detectors or [], (), shown)
        found = read_reports(deployment, detectors or [], shown.start, shown.now)
        where = f"Stack {deployment.stack} in {deployment.account.region}"
    for each in found.notes:
        note(each)
    if not found.reports and not found.notes:
        end(
            f"no events {shown}; no page written. Name a detector to show it without events.",
            FAILURE,
        )
    _write(found, output, f"{where}, {shown}", shown)


def _write(found: "Reported", output: Path, subtitle: str, shown: TimeRange) -> None:
    from cutwatch_cli.report import Page, verdict, write_page

    if all(each.missing.all() and not each.events for each in found.reports):
        end(f"CloudWatch has no datapoints of these detectors: {subtitle}", FAILURE)
    try:
        write_page(Page("Cutwatch report", subtitle, found.reports, shown.now, found.notes), output)
    except OSError as error:
        end(f"--output {output}: {error.strerror}", USAGE_ERROR)
    typer.echo(f"{verdict(found.reports)}\nReport: {output}")
