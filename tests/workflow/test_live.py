"""The stack of live detection next to the base stack, on the local AWS: notified within minutes, and once."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cutwatch.detectors.detector import Detector
from cutwatch.registry.registry import Registry
from cutwatch.registry.run import run_id
from cutwatch_cli.csv_files.regular_grid import MetricSeries
from cutwatch_cli.replay.application import LIVE_TEMPLATE, staged
from cutwatch_cli.replay.demo_data import active_users
from cutwatch_cli.replay.live_replay import mailed_news, repeated
from localaws import LocalAws, Stack
from localaws.ministack_patches.mails import Mail
from tests.support.builders import a_detector
from tests.support.command_line import cutwatch
from tests.support.dashboard_schema import problems
from tests.support.live_backtest import windows_of

HOUR = timedelta(hours=1)
DEMO = active_users().series
HOURLY = MetricSeries(3_600, DEMO.start, DEMO.values[::12])
DETECTOR = a_detector("users", period=3_600, engine="lambda", live=True, publish="all")
DELAY = timedelta(minutes=15)
# The weeks before the evening that does not come, and that evening with the hours around it.
TRAINED = HOURLY.start + timedelta(weeks=5)
EVENING = HOURLY.start + timedelta(weeks=5, days=3, hours=16)

# The first hours of the level shift.
SHIFT = HOURLY.start + timedelta(weeks=8, days=1, hours=11)


class Deployed:
    """Both stacks, with a metric that has nine weeks of datapoints."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        aws.clock.move_to(TRAINED + DELAY)
        with staged([DETECTOR]) as template:
            self.base: Stack = aws.deploy(template, stack_name="cutwatch")
        self.live = self.deploy_live(DETECTOR)
        aws.cloudwatch.load_series(
            DETECTOR.namespace, DETECTOR.metric, {}, 3_600, HOURLY.timestamps, HOURLY.values
        )
        self.registry = Registry(aws.client("dynamodb"), self.base.outputs["RegistryTableName"])

    def deploy_live(self, detector: Detector) -> Stack:
        with staged([detector]) as template:
            return self.aws.deploy(
                template.parent / LIVE_TEMPLATE,
                stack_name="cutwatch-live",
                parameters={"BaseStack": "cutwatch", "LiveMinutes": "60"},
            )

    @property
    def mails(self) -> list[Mail]:
        return [mail for mail in self.aws.mails.all() if mail.subject.startswith("Cutwatch ")]

    def changes(self) -> list[str]:
        """The changes on the bus, in their order."""
        details = [
            json.loads(entry["Detail"])
            for call in self.aws.calls.of("events", "PutEvents")
            for entry in call.parameters["Entries"]
        ]
        return [f"{each.get('change', 'found')} {each.get('reason', '')}" for each in details]

    def transform(self, at: datetime) -> None:
        self.aws.clock.move_to(at)
        (execution,) = self.base.fire("TransformRule", at=at)
        assert execution.wait().status == "SUCCEEDED"

    def stored(self, prefix: str) -> list[str]:
        listed = self.aws.client("s3").list_objects_v2(
            Bucket=self.base.outputs["DataBucketName"], Prefix=prefix
        )
        return [each["Key"] for each in listed.get("Contents", ())]

    def run_live(self, at: datetime) -> dict[str, Any]:
        self.aws.clock.move_to(at)
        answer = self.aws.client("lambda").invoke(
            FunctionName=self.live.outputs["ScoreMetricsFunction"], Payload=b"{}"
        )
        content: dict[str, Any] = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, content
        return content


@pytest.fixture(scope="module")
def deployed() -> Iterator[Deployed]:
    with LocalAws() as aws:
        yield Deployed(aws)


@pytest.mark.slow
def test_an_incident_is_notified_live_and_not_again_by_the_transform(deployed: Deployed) -> None:
    deployed.transform(TRAINED + DELAY)
    for hour in range(-1, 12):
        deployed.run_live(EVENING + hour * HOUR + timedelta(minutes=2))
    claims = deployed.registry.claims.between("users", TRAINED, EVENING + timedelta(days=1))
    assert [claim.owner for claim in claims] == ["live"]
    mails = deployed.mails
    assert any(mail.subject.startswith("Cutwatch over: users after ") for mail in mails)

    next_week = TRAINED + timedelta(weeks=1) + DELAY
    deployed.transform(next_week)
    outcome = deployed.registry.outcomes.get(run_id("transform", next_week), "users")
    assert outcome is not None
    assert outcome.message.endswith("; live runs notified 1 incident")
    assert (outcome.live_notified, outcome.live_missed) == (1, 0)
    assert outcome.events == ()
    assert [mail.subject for mail in deployed.mails] == [mail.subject for mail in mails]

    # From here on, the window is the transform's, and the series of the one before is deleted.
    for hours in (1, 2):
        deployed.run_live(next_week + hours * HOUR)
    series = deployed.stored("live/series/")
    assert len(series) == 1
    assert [mail.subject for mail in deployed.mails] == [mail.subject for mail in mails]
    incidents = deployed.registry.events.between(EVENING - HOUR, EVENING + timedelta(hours=12))
    assert {each.event.id for each in incidents} == {claim.event.id for claim in claims}


@pytest.mark.slow
def test_commands_show_live_detectors(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in {
        "AWS_ENDPOINT_URL": deployed.aws.endpoint_url,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": deployed.aws.region,
        "CUTWATCH_STACK": "cutwatch",
    }.items():
        monkeypatch.setenv(name, value)
    shown = json.loads(cutwatch("status", "--json").output)
    (detector,) = shown["detectors"]
    assert detector["live"]["problem"] is None
    assert detector["live"]["newest"]["value"] is not None

    watched = cutwatch("watch", "--once").output
    assert "1 live detector" in watched
    assert "users" in watched

    lines = cutwatch("logs", "live", "--since", "2d").output.splitlines()
    assert any("ScoreMetrics" in line and " scored detectors=1 " in line for line in lines), lines
    assert cutwatch("logs", "lives").exit_code == 2

    environment = tmp_path / "environment.json"
    said = cutwatch("environment", "--stack", "cutwatch-live", "--output", str(environment)).output
    assert "sam local invoke ScoreMetrics -e events/score_metrics.json" in said
    assert json.loads(environment.read_text())["ScoreMetrics"]["BASE_STACK"] == "cutwatch"


@pytest.mark.slow
def test_the_dashboard_shows_the_alarms_of_all_detectors_and_of_each(deployed: Deployed) -> None:
    name = deployed.live.outputs["DashboardName"]
    body = deployed.aws.client("cloudwatch").get_dashboard(DashboardName=name)["DashboardBody"]
    shown = json.loads(body)
    assert list(problems(shown)) == []
    widgets = shown["widgets"]
    [alarms] = [each["properties"]["alarms"] for each in widgets if each["type"] == "alarm"]
    names = {arn.rpartition("cutwatch-live: ")[2] for arn in alarms}
    assert names == {"incident", "incident by detector", "runs fail", "no runs"}


@pytest.mark.slow
def test_switching_live_off_and_on_loses_nothing(deployed: Deployed) -> None:
    """Off for a transform, on until an incident lasts, off until the next transform."""
    off = replace(DETECTOR, live=False, publish="events")
    week = [TRAINED + timedelta(weeks=weeks) for weeks in range(5)]
    deployed.deploy_live(off)
    for hours in (4, 5):
        deployed.run_live(week[1] + timedelta(hours=hours))
    assert deployed.stored("live/series/") == []
    assert deployed.run_live(week[1] + timedelta(hours=6)) == {"buckets": 0, "detectors": 0}
    deployed.transform(week[3] + DELAY)

    deployed.deploy_live(DETECTOR)
    before = len(deployed.mails)
    for hour in range(3):
        deployed.run_live(SHIFT + hour * HOUR + timedelta(minutes=2))
    assert len(deployed.mails) == before + 1
    deployed.deploy_live(off)
    deployed.run_live(SHIFT + 3 * HOUR)
    assert deployed.changes()[-1] == "ended the detector is not live any more"
    assert deployed.mails[-1].subject.startswith("Cutwatch over: users after ")

    deployed.transform(week[4] + DELAY)
    outcome = deployed.registry.outcomes.get(run_id("transform", week[4] + DELAY), "users")
    assert outcome is not None
    assert outcome.live_missed == 0
    incidents = deployed.registry.events.between(TRAINED, HOURLY.end)
    expected, _ = windows_of(HOURLY, DETECTOR, timedelta(weeks=5))
    assert {each.event.id for each in incidents} == {event.id for event in expected}
    assert repeated(mailed_news(deployed.aws.mails.all())) == 0


@pytest.mark.slow
def test_the_function_uses_every_permission_that_it_has(deployed: Deployed) -> None:
    role = deployed.live.resources["ScoreMetricsRole"]
    permissions = deployed.aws.permissions
    used = {(use.statement, use.action) for use in permissions.uses if use.role == role}
    granted = {(use.statement, use.action) for use in permissions.granted(role)}

    # Logs and traces are Lambda's. Templates, a second bucket, claims by transforms and parts of incidents that are
    # replaced are in other tests.
    elsewhere = {
        ("Log", "logs:CreateLogStream"),
        ("Log", "logs:PutLogEvents"),
        ("Trace", "xray:PutTelemetryRecords"),
        ("Trace", "xray:PutTraceSegments"),
        ("ReadMetrics", "cloudwatch:ListMetrics"),
        ("ClaimAndRecordIncidents", "dynamodb:DeleteItem"),
        ("ClaimAndRecordIncidents", "dynamodb:GetItem"),
    }
    unused = {each for each in granted - used - elsewhere if "InvokeFunction" not in each[1]}
    assert sorted(unused) == []


def test_an_incident_that_is_mailed_again_without_being_more_severe_is_counted() -> None:
    assert repeated([("medium", ["a"]), ("high", ["a"]), ("low", ["b"])]) == 0
    assert repeated([("medium", ["a"]), ("medium", ["a", "b"]), ("low", ["b"])]) == 2
