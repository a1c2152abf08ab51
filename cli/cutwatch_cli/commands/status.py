"""`cutwatch status`: the detectors of a deployed stack, and their problems."""

import json
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cutwatch_cli.commands.exits import FAILURE, SUCCESS, note
from cutwatch_cli.commands.options import (
    AsJson,
    Profile,
    Region,
    StackName,
    deployed,
    show,
)

if TYPE_CHECKING:
    from cutwatch_cli.stacks.deployment import Deployment
    from cutwatch_cli.stacks.detector_status import DetectorStatus


def status(
    problems: Annotated[
        bool, typer.Option("--problems", help="Only detectors with problems.")
    ] = False,
    stack: StackName = None,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Show the status of every detector. Exit code 1 if any has a problem or the newest run failed."""
    from cutwatch_cli.stacks.failed_executions import build_remark, newest_failures
    from cutwatch_cli.stacks.status_table import remarks, status_table

    with deployed(stack, region, profile) as deployment:
        now = deployment.now
        found = _statuses(deployment, now)
        failures = list(newest_failures(deployment))
    problems_found = [*failures, *(problem for each in found for problem in each.problems)]
    if remark := build_remark(problems_found, deployment.architecture):
        failures.append(remark)
    shown = [each for each in found if each.problems or not problems]
    if as_json:
        typer.echo(json.dumps(_payload(deployment, shown, failures, now), indent=2))
    else:
        if not deployment.schedules_enabled:
            note("ScheduleState is DISABLED: schedules start no runs")
        show(status_table(shown, now))
        typer.echo("\n".join([*remarks(shown), *failures, _verdict(found)]))
    raise typer.Exit(FAILURE if not found or problems_found else SUCCESS)


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
    deployment: "Deployment", shown: list["DetectorStatus"], failures: list[str], now: datetime
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


def _verdict(found: list["DetectorStatus"]) -> str:
    if not found:
        return "No detectors yet. Start the first run with: cutwatch start transform"
    unhealthy = sum(bool(each.problems) for each in found)
    detectors = f"{len(found)} detector{'s' * (len(found) != 1)}"
    return f"{detectors}, {unhealthy or 'none'} with problems."
