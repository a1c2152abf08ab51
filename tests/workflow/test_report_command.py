"""The page that an operator makes of a deployed fleet, on the local AWS."""

import os
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from cutwatch_cli.main import app
from localaws.faults import Fault
from tests.support.fleet import FIRST_TRANSFORM, Fleet, detector, fleet, with_spike
from tests.support.report_pages import columns_of, descriptions_of, share_in_range

# The local AWS lets pass the time-out of every training that a transform has asked for.
LONG = ("--since", "60d")
# CloudWatch shows every score of the transform.
SETTLED = FIRST_TRANSFORM + timedelta(hours=50)
CALLS = ("cloudwatch.GetMetricData", "dynamodb.Query", "s3.GetObject", "s3.ListObjectsV2")


@pytest.fixture(scope="module")
def shop() -> Iterator[Fleet]:
    """A spike each in two detectors, the graver one in `checkout`; one that is calm, and one that watches nothing."""
    names = ("checkout", "orders", "calm", "ghost")
    watched = [detector(name, engine="lambda", time_zone="Asia/Tokyo") for name in names]
    spike = with_spike(FIRST_TRANSFORM - timedelta(days=2))
    with fleet(watched) as shop:
        for each, highest in zip(watched, (400.0, 200.0, 150.0), strict=False):
            shop.load(each, spike.clip(max=highest))
        shop.train()
        shop.transform()
        shop.aws.clock.move_to(SETTLED)
        yield shop


@pytest.fixture(autouse=True)
def _account(shop: Fleet) -> Iterator[None]:
    with patch.dict(os.environ, shop.operators_environment()):
        yield


@pytest.fixture
def page(tmp_path: Path) -> Path:
    return tmp_path / "new" / "report.html"


def report(page: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["report", *arguments, "--output", str(page)])


def assert_refused(result: Result, *words: str, code: int = 2) -> None:
    assert (result.exit_code, result.stdout) == (code, ""), result.output
    line = result.stderr.splitlines()[-1]
    assert line.startswith("cutwatch: ")
    for word in words:
        assert word in line


def detectors_of(page: Path) -> list[str]:
    return re.findall(r'<h2 id="t\d+">([^<]+)</h2>', page.read_text())


@pytest.mark.slow
def test_the_page_has_those_with_events_the_worst_first(page: Path) -> None:
    result = report(page, *LONG)

    assert result.exit_code == 0, result.output
    names = detectors_of(page)
    assert names[0] == "checkout"
    assert set(names) <= {"checkout", "orders", "calm"}
    verdict, where = result.stdout.splitlines()
    assert "detectors; worst: checkout, 2026-06-06 12:0" in verdict
    assert where == f"Report: {page}"


def test_a_detector_has_its_datapoints_its_cutoff_and_what_is_usual(page: Path) -> None:
    assert report(page, "checkout", *LONG).exit_code == 0

    (described,) = descriptions_of(page)
    assert described["zone"] == "Asia/Tokyo"
    assert described["anomalous"]
    assert len(described["events"]) >= 1
    assert described["cutoffs"][0][1] > 0
    text = page.read_text()
    assert text.count(">Graph</a>") == len(described["events"])
    assert 'href="https://us-east-1.console.aws.amazon.com/cloudwatch/home?' in text
    for fact in ("Trained until", "Published through", "Stack cutwatch in us-east-1"):
        assert fact in text


@pytest.mark.parametrize("since", ["60d", "12d", "9d", "5d"])
def test_the_expected_range_holds_the_usual_values_however_early_the_report_begins(
    page: Path, since: str
) -> None:
    assert report(page, "checkout", "--since", since).exit_code == 0

    (columns,) = columns_of(page)
    scored = np.isfinite(columns["score"])
    assert scored.any()
    for name in ("expected", "below", "above"):
        assert np.isfinite(columns[name][scored]).all()
        assert np.isnan(columns[name][: scored.argmax()]).all()
    assert share_in_range(columns) == pytest.approx(0.9, abs=0.03)
    (spike,) = np.flatnonzero(columns["value"] == 400)[:1]
    assert columns["expected"][spike] + columns["above"][spike] < 150


def test_right_after_a_transform_the_page_has_its_anomalies_and_says_that_scores_follow(
    shop: Fleet, page: Path
) -> None:
    assert report(page, "checkout", *LONG).exit_code == 0
    (settled,), (scores,) = descriptions_of(page), columns_of(page)
    assert (settled["unreadable"], "The score series follows" in page.read_text()) == ([], False)

    shop.aws.clock.move_to(FIRST_TRANSFORM + timedelta(minutes=30))
    try:
        result = report(page, "checkout", *LONG)
    finally:
        shop.aws.clock.move_to(SETTLED)

    (described,), (columns,) = descriptions_of(page), columns_of(page)
    for said in (result.stderr, page.read_text()):
        assert "The score series follows: CloudWatch shows scores within 48 hours of" in said
    assert ">score follows</li>" in page.read_text()
    later = (settled["start"] - described["start"]) // described["period"]
    assert described["events"] == settled["events"]
    for mark in ("anomalous", "unscored", "cutoffs"):
        assert [each[0] - later for each in described[mark]] == [each[0] for each in settled[mark]]
    ((first, end),) = described["unreadable"]
    assert np.isnan(columns["score"][first:end]).all()
    assert np.isfinite(scores["score"][first - later : end - later]).all()
    assert (end - first) * described["period"] > timedelta(days=5).total_seconds()


def test_a_cutoff_applies_from_the_first_scored_datapoint(page: Path) -> None:
    assert report(page, "checkout", *LONG).exit_code == 0

    (described,), (columns,) = descriptions_of(page), columns_of(page)
    assert described["cutoffs"][0][0] == np.isfinite(columns["score"]).argmax()


def test_detectors_that_are_named_are_shown_with_or_without_events(page: Path) -> None:
    assert report(page, "calm", "orders", *LONG).exit_code == 0
    assert set(detectors_of(page)) == {"calm", "orders"}


def test_all_detectors_are_read_with_a_handful_of_calls(shop: Fleet, page: Path) -> None:
    before = {call: shop.aws.calls.count(call) for call in CALLS}
    assert report(page, "checkout", "orders", "calm", *LONG).exit_code == 0
    asked = {call: shop.aws.calls.count(call) - before[call] for call in CALLS}

    assert asked["cloudwatch.GetMetricData"] == 1
    assert asked["s3.GetObject"] == 0
    assert 0 < asked["dynamodb.Query"] <= 12


def test_only_the_worst_are_shown_if_there_are_many(page: Path) -> None:
    with patch("cutwatch_cli.stacks.reported_detectors.MOST_DETECTORS", 1):
        result = report(page, *LONG)

    assert detectors_of(page) == ["checkout"]
    assert "with less severe events left out; name them to show them: " in result.stderr
    assert "with less severe events left out" in page.read_text()


def test_a_silence_is_told_with_its_reason(page: Path) -> None:
    words = ["silence", "orders", "--for", "3d", "--reason", "a <b>sale</b>"]
    assert CliRunner().invoke(app, words).exit_code == 0
    assert report(page, "orders", *LONG).exit_code == 0
    assert CliRunner().invoke(app, ["silence", "--lift", "orders"]).exit_code == 0

    assert ": a &lt;b&gt;sale&lt;/b&gt;</dd>" in page.read_text()


def test_a_detector_that_cloudwatch_rejects_leaves_the_others(shop: Fleet, page: Path) -> None:
    refusal = Fault(
        "cloudwatch",
        "GetMetricData",
        error="ValidationError",
        when=lambda parameters: "orders" in str(parameters),
    )
    with shop.aws.faults.during(refusal):
        result = report(page, "checkout", "orders", *LONG)

    assert result.exit_code == 0, result.output
    assert "orders left out: GetMetricData: Injected fault" in result.stderr
    assert "orders left out: GetMetricData: Injected fault" in page.read_text()
    assert detectors_of(page) == ["checkout"]


def test_a_detector_of_which_nothing_was_published_is_told(page: Path) -> None:
    result = report(page, "ghost", *LONG)

    assert_refused(result, "no datapoints of these detectors", code=1)
    assert "ghost left out: nothing published" in result.stderr
    assert not page.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["chekout"], ["no detector 'chekout'; did you mean 'checkout'?"]),
        (["--since", "yesterday"], ["--since yesterday: expected"]),
        (["--stack", "cutwach"], ["no stack 'cutwach' in region us-east-1"]),
        (["--region", "eu-west-1"], ["no stack 'cutwatch' in region eu-west-1"]),
        (["--profile", "nobody"], ["--profile", "nobody"]),
    ],
)
def test_a_mistake_is_told_in_one_line(page: Path, arguments: list[str], words: list[str]) -> None:
    result = report(page, *arguments)

    assert_refused(result, *words)
    assert len(result.stderr.splitlines()) == 1
    assert not page.exists()


@pytest.mark.parametrize(
    ("service", "operation", "action"),
    [
        ("cloudformation", "DescribeStacks", "cloudformation:DescribeStacks"),
        ("cloudwatch", "GetMetricData", "cloudwatch:GetMetricData"),
        ("dynamodb", "Query", "dynamodb:Query"),
        ("s3", "ListObjectsV2", "s3:ListBucket"),
    ],
)
def test_a_missing_permission_is_named(
    shop: Fleet, page: Path, service: str, operation: str, action: str
) -> None:
    refusal = Fault(service, operation, error="AccessDenied", status=403)
    with shop.aws.faults.during(refusal):
        assert_refused(report(page, "checkout", *LONG), f"lack the permission {action}")
    assert not page.exists()


def test_where_there_are_no_events_there_is_no_page(page: Path) -> None:
    with patch("cutwatch.registry.event_store.EventStore.between", return_value=[]):
        result = report(page, *LONG)

    assert_refused(result, "no events since", "no page written", code=1)
    assert not page.exists()


def test_a_time_in_which_no_transform_ran_is_told(shop: Fleet, page: Path) -> None:
    shop.aws.clock.advance(7200)
    assert_refused(report(page, "--since", "1h"), "no transform ran since", code=1)


@pytest.mark.slow
def test_a_page_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert_refused(report(tmp_path / "file" / "report.html", *LONG), "--output", "file")
    assert_refused(report(tmp_path, *LONG), "--output", str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
