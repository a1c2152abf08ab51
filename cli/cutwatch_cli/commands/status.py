"""`cutwatch status`: the detectors, streams and tables of a deployed stack, and their problems."""

import json
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cutwatch_cli.commands.exits import FAILURE, SUCCESS, note
from cutwatch_cli.commands.joined_streams import joined_streams, joined_tables
from cutwatch_cli.commands.options import (
    AsJson,
    Profile,
    Region,
    StackName,
    deployed,
    show,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cutwatch_cli.stacks.deployment import Deployment
    from cutwatch_cli.stacks.detector_status import DetectorStatus
    from cutwatch_cli.stacks.stream_status import StreamStatus
    from cutwatch_cli.stacks.table_status import TableStatus


def status(
    problems: Annotated[
        bool, typer.Option("--problems", help="Only detectors, streams and tables with problems.")
    ] = False,
    stack: StackName = None,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Show the status of every detector, stream and table. Exit code 1 if any has a problem or the newest run failed."""
    from cutwatch_cli.stacks.failed_executions import build_remark, newest_failures

    with deployed(stack, region, profile) as deployment:
        now = deployment.now
        found = _statuses(deployment, now)
        streams = _stream_statuses(deployment, now)
        tables = _table_statuses(deployment, now)
        failures = list(newest_failures(deployment))
    problems_found = [*failures, *_problems(found), *_problems(streams), *_problems(tables)]
    if remark := build_remark(problems_found, deployment.architecture):
        failures.append(remark)
    shown = [each for each in found if each.problems or not problems]
    shown_streams = [each for each in streams if each.problems or not problems]
    shown_tables = [each for each in tables if each.problems or not problems]
    if as_json:
        payload = _payload(deployment, shown, failures, now)
        payload["streams"] = [each.to_payload(now) for each in shown_streams]
        payload["tables"] = [each.to_payload(now) for each in shown_tables]
        typer.echo(json.dumps(payload, indent=2))
    else:
        if not deployment.schedules_enabled:
            note("ScheduleState is DISABLED: schedules start no runs")
        if found or not (streams or tables):
            _show_detectors(shown, now)
        _show_streams(shown_streams, now)
        _show_tables(shown_tables, now)
        typer.echo("\n".join([*failures, _verdict(found, streams, tables)]))
    nothing = not (found or streams or tables)
    raise typer.Exit(FAILURE if nothing or problems_found else SUCCESS)


def _show_detectors(shown: list["DetectorStatus"], now: datetime) -> None:
    from cutwatch_cli.stacks.status_table import remarks, status_table

    show(status_table(shown, now))
    _print_lines(remarks(shown))


def _show_streams(shown: list["StreamStatus"], now: datetime) -> None:
    from cutwatch_cli.stacks.stream_status_table import stream_remarks, stream_status_table

    if shown:
        show(stream_status_table(shown, now))
    _print_lines(stream_remarks(shown))


def _show_tables(shown: list["TableStatus"], now: datetime) -> None:
    from cutwatch_cli.stacks.table_status_table import table_remarks, table_status_tables

    for table in table_status_tables(shown, now):
        show(table)
    _print_lines(table_remarks(shown))


def _print_lines(lines: "Iterable[str]") -> None:
    for line in lines:
        typer.echo(line)


def _stream_statuses(deployment: "Deployment", now: datetime) -> list["StreamStatus"]:
    """Return the status of all streams, those with problems first."""
    from cutwatch.registry.silences import in_force
    from cutwatch_cli.stacks.stream_statuses import stream_statuses

    stacks = joined_streams(deployment)
    if not stacks:
        return []
    silences = {each.detector: each for each in in_force(deployment.registry.silences.all(), now)}
    return stream_statuses(deployment, stacks, silences, now)


def _table_statuses(deployment: "Deployment", now: datetime) -> list["TableStatus"]:
    """Return the status of all watched tables, those with problems first."""
    from cutwatch.registry.silences import in_force
    from cutwatch_cli.stacks.table_statuses import table_statuses

    stacks = joined_tables(deployment)
    if not stacks:
        return []
    silences = {each.detector: each for each in in_force(deployment.registry.silences.all(), now)}
    return table_statuses(deployment, stacks, silences, now)


def _problems(found: "Sequence[DetectorStatus | StreamStatus | TableStatus]") -> list[str]:
    return [problem for each in found for problem in each.problems]


def _statuses(deployment: "Deployment", now: datetime) -> list["DetectorStatus"]:
    """Return the status of all detectors, those with problems first."""
    from collections import Counter

    from cutwatch.registry.detector_record import DetectorRecord
    from cutwatch.registry.quota_waits import still_waiting
    from cutwatch.registry.silences import in_force
    from cutwatch_cli.stacks import run_history as history
    from cutwatch_cli.stacks.detector_status import status_of
    from cutwatch_cli.stacks.live_detectors import live_detectors

    registry, bucket = deployment.registry, deployment.bucket
    runs = history.recent(history.past_runs(bucket), now - history.WEEK)
    ended = history.by_detector(history.endings(registry, runs))
    records = registry.detectors.all()
    events = Counter(each.detector for each in registry.events.between(now - history.WEEK, now))
    silences = {each.detector: each for each in in_force(registry.silences.all(), now)}
    waits = {each.detector: each for each in still_waiting(registry.quota_waits.all(), now)}
    live = live_detectors(bucket)
    found = [
        status_of(
            records.get(name, DetectorRecord(name)),
            ended.get(name, []),
            events[name],
            silences.get(name),
            waits.get(name),
            now,
            deployment.stale_after,
            live.get(name),
        )
        for name in sorted(history.current_names(records, ended) | waits.keys())
    ]
    return sorted(found, key=lambda each: not each.problems)


def _payload(
    deployment: "Deployment",
    shown: list["DetectorStatus"],
    failures: list[str],
    now: datetime,
) -> dict[str, Any]:
    return {
        "stack": deployment.stack,
        "region": deployment.account.region,
        "namespace": deployment.namespace,
        "now": now.isoformat(timespec="seconds"),
        "schedules_enabled": deployment.schedules_enabled,
        "failed_runs": failures,
        "detectors": [each.to_payload(now) for each in shown],
    }


def _verdict(
    found: list["DetectorStatus"], streams: list["StreamStatus"], tables: list["TableStatus"]
) -> str:
    every: list[DetectorStatus | StreamStatus | TableStatus] = [*found, *streams, *tables]
    if not every:
        return "No detectors yet. Start the first run with: cutwatch start transform"
    unhealthy = sum(bool(each.problems) for each in every)
    counted = ((len(found), "detector"), (len(streams), "stream"), (len(tables), "table"))
    *others, last = [f"{number} {noun}{'s' * (number != 1)}" for number, noun in counted if number]
    watched = f"{', '.join(others)} and {last}" if others else last
    return f"{watched}, {unhealthy or 'none'} with problems."
