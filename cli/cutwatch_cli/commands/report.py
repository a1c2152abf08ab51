"""`cutwatch report`: a page with the metrics, scores and events of a deployed stack."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cutwatch_cli.commands.exits import FAILURE, USAGE_ERROR, end, note
from cutwatch_cli.commands.joined_streams import joined_streams, joined_tables
from cutwatch_cli.commands.options import BUILD, Profile, Region, StackName, deployed
from cutwatch_cli.commands.time_range import Since, TimeRange, check_scored, look_back

if TYPE_CHECKING:
    from cutwatch_cli.stacks.deployment import Deployment
    from cutwatch_cli.stacks.reported_detectors import Reported


def report(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME",
            help="Detectors, streams and tables to show; default: those with events, of detectors the worst 50.",
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
    span = look_back(since)
    with deployed(stack, region, profile) as deployment:
        shown = TimeRange.until(deployment.now, span)
        found = _read(deployment, names or [], shown)
        where = f"Stack {deployment.stack} in {deployment.account.region}"
    for each in found.notes:
        note(each)
    if not found.reports and not found.notes:
        end(
            f"no events {shown}; no page written. Name a detector, stream or table to show it without events.",
            FAILURE,
        )
    _write(found, output, f"{where}, {shown}", shown)


def _read(deployment: "Deployment", names: list[str], shown: TimeRange) -> "Reported":
    from cutwatch.delivery.incident_store import IncidentStore
    from cutwatch_cli.stacks.reported_detectors import Reported, read_reports
    from cutwatch_cli.stacks.reported_streams import read_stream_reports

    incidents = IncidentStore(deployment.table).between(shown.start, shown.now)
    watched = joined_tables(deployment)
    tables = {each.stream for each in watched}
    streams = {each.stream: each.source for each in (*joined_streams(deployment), *watched)}
    known = streams.keys() | {each.stream for each in incidents}
    check_scored(deployment, names, known, shown)
    own, others = [n for n in names if n in known], [n for n in names if n not in known]
    found = []
    if others or not names:
        found.append(read_reports(deployment, others, shown.start, shown.now))
    if own or not names:
        found.append(
            read_stream_reports(
                deployment, streams, incidents, own, shown.start, shown.now, tables=tables
            )
        )
    return Reported(
        [report for each in found for report in each.reports],
        [written for each in found for written in each.notes],
    )


def _write(found: "Reported", output: Path, subtitle: str, shown: TimeRange) -> None:
    from cutwatch_cli.report import Page, verdict, write_page

    if all(each.missing.all() and not each.events for each in found.reports):
        end(f"CloudWatch has no datapoints of these detectors: {subtitle}", FAILURE)
    try:
        write_page(Page("Cutwatch report", subtitle, found.reports, shown.now, found.notes), output)
    except OSError as error:
        end(f"--output {output}: {error.strerror}", USAGE_ERROR)
    typer.echo(f"{verdict(found.reports)}\nReport: {output}")
