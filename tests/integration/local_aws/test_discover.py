"""`cutwatch discover` against the local AWS: what is printed can be watched, and what fails says why."""

import os
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from typer.testing import CliRunner, Result

from cutwatch.detectors.detectors_file import parse_configuration
from cutwatch.detectors.templates import expand
from cutwatch_cli.main import app
from localaws import LocalAws
from localaws.faults import Fault
from tests.support.operator_environment import operator_environment

FUNCTIONS = ["checkout", "search"]


@pytest.fixture(autouse=True)
def _account(aws: LocalAws) -> Iterator[None]:
    """Credentials and configuration of this test alone, and no faults of the one before."""
    aws.faults.clear()
    with patch.dict(os.environ, operator_environment(aws)):
        yield


@pytest.fixture(autouse=True, scope="module")
def _metrics(aws: LocalAws) -> None:
    data = [
        {"MetricName": metric, "Value": 1.0, "Dimensions": [{"Name": "Function", "Value": name}]}
        for name in FUNCTIONS
        for metric in ("Errors", "Duration")
    ]
    cloudwatch = aws.client("cloudwatch")
    cloudwatch.put_metric_data(
        Namespace="Shop", MetricData=[*data, {"MetricName": "Users", "Value": 1}]
    )
    many = [
        {"MetricName": "Orders", "Value": 1.0, "Dimensions": [{"Name": "Till", "Value": f"t{n}"}]}
        for n in range(501)
    ]
    cloudwatch.put_metric_data(Namespace="Market", MetricData=many)
    every = {"MetricName": "Checks", "Value": 1.0, "Dimensions": [{"Name": "Host", "Value": "*"}]}
    cloudwatch.put_metric_data(
        Namespace="Probes", MetricData=[every, {"MetricName": "Probes", "Value": 1.0}]
    )


def discover(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["discover", *arguments])


def names(result: Result) -> list[str]:
    assert result.exit_code == 0, result.stderr
    return [detector.name for detector in parse_configuration(result.stdout).detectors]


def assert_fails(result: Result, code: int, *words: str) -> None:
    assert (result.exit_code, result.stdout) == (code, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("cutwatch: ")
    for word in words:
        assert word in line


def test_every_metric_of_a_namespace_becomes_a_detector_and_notes_stay_out_of_the_file() -> None:
    result = discover("--namespace", "Shop")

    assert names(result) == [
        "duration-checkout",
        "duration-search",
        "errors-checkout",
        "errors-search",
        "users",
    ]
    assert result.stderr == "cutwatch: 5 metrics in Shop, 5 entries\n"
    statistics = {d.metric: d.statistic for d in parse_configuration(result.stdout).detectors}
    assert statistics == {"Duration": "p99", "Errors": "Sum", "Users": "Average"}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--metric", "Errors"], ["errors-checkout", "errors-search"]),
        (["--dimension", "Function=search"], ["duration-search", "errors-search"]),
        (["--dimension", "Function", "--metric", "Errors", "--limit", "1"], ["errors-checkout"]),
    ],
)
def test_options_narrow_what_is_printed(options: list[str], expected: list[str]) -> None:
    assert names(discover("--namespace", "Shop", *options)) == expected


def test_a_metric_that_detectors_yaml_would_refuse_is_left_out_with_a_note() -> None:
    result = discover("--namespace", "Probes")
    assert names(result) == ["probes"]
    assert "1 metric left out: a dimension's value is *" in result.stderr


def test_statistic_and_period_hold_for_all() -> None:
    result = discover("--namespace", "Shop", "--statistic", "p50", "--period", "60")
    found = parse_configuration(result.stdout).detectors
    assert {(detector.statistic, detector.period) for detector in found} == {("p50", 60)}


def test_every_page_is_read_and_what_is_left_out_is_counted() -> None:
    result = discover("--namespace", "Market", "--limit", "10")
    assert len(names(result)) == 10
    assert "501 metrics in Market" in result.stderr
    assert "491 entries left out by --limit 10" in result.stderr


def test_templates_that_are_printed_expand_to_the_metrics_they_came_from(aws: LocalAws) -> None:
    result = discover("--namespace", "Market", "--for-each", "Till")
    [template] = parse_configuration(result.stdout).templates

    assert (template.name, template.limit) == ("orders", 1_000)
    assert len(expand(aws.client("cloudwatch"), template)) == 501


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--statistic", "Mean"], ["--statistic: 'Mean' is not valid"]),
        (["--period", "90"], ["--period: 90 must be a multiple of 60"]),
        (["--period", "0"], ["--period: 0 must be"]),
    ],
)
def test_a_wrong_option_is_a_mistake_before_anything_is_asked(
    aws: LocalAws, options: list[str], words: list[str]
) -> None:
    with aws.faults.during(Fault("cloudwatch", error="Unexpected")):
        assert_fails(discover("--namespace", "Shop", *options), 2, *words)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], ["no metric in namespace Nowhere;", "two weeks"]),
        (["--metric", "Errors", "--for-each", "Till"], ["no metric Errors in", "with Till;"]),
    ],
)
def test_nothing_found_says_what_was_asked_for(options: list[str], words: list[str]) -> None:
    assert_fails(discover("--namespace", "Nowhere", *options), 1, *words)


def test_a_missing_permission_is_named(aws: LocalAws) -> None:
    with aws.faults.during(
        Fault(
            "cloudwatch", "ListMetrics", error="AccessDenied", message="User: x is not", status=403
        )
    ):
        assert_fails(
            discover("--namespace", "Shop"), 1, "lack the permission cloudwatch:ListMetrics"
        )


@pytest.mark.parametrize("code", ["UnrecognizedClientException", "InvalidClientTokenId"])
def test_credentials_that_a_region_does_not_know_name_the_region(aws: LocalAws, code: str) -> None:
    with aws.faults.during(Fault("cloudwatch", error=code, status=403)):
        result = discover("--namespace", "Shop", "--region", "ap-east-1")
    assert_fails(result, 1, "region 'ap-east-1'", code)


def test_another_refusal_is_told_in_aws_words(aws: LocalAws) -> None:
    with aws.faults.during(Fault("cloudwatch", error="Odd", message="something\nelse")):
        assert_fails(discover("--namespace", "Shop"), 1, "ListMetrics: something else (Odd)")


def test_no_credentials_say_how_to_get_some() -> None:
    with patch.dict(os.environ):
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            os.environ.pop(name, None)
        assert_fails(discover("--namespace", "Shop"), 1, "no usable AWS credentials")


def test_no_region_is_told() -> None:
    with patch.dict(os.environ):
        for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
            os.environ.pop(name, None)
        assert_fails(discover("--namespace", "Shop"), 1, "no region", "--region")


def test_an_unknown_profile_is_named() -> None:
    assert_fails(discover("--namespace", "Shop", "--profile", "nobody"), 1, "--profile", "nobody")


def test_a_region_that_cannot_be_reached_is_named() -> None:
    nowhere = {"AWS_ENDPOINT_URL_CLOUDWATCH": "http://127.0.0.1:1", "AWS_MAX_ATTEMPTS": "1"}
    with patch.dict(os.environ, nowhere):
        os.environ.pop("AWS_ENDPOINT_URL")
        result = discover("--namespace", "Shop", "--region", "mars-north-1")
    assert_fails(result, 1, "cannot reach AWS in region 'mars-north-1'")


def test_a_region_that_is_no_name_of_one_is_named() -> None:
    with patch.dict(os.environ):
        os.environ.pop("AWS_ENDPOINT_URL")
        assert_fails(discover("--namespace", "Shop", "--region", "not a region"), 1, "not a region")


def validate(tmp_path: Path, *entries: str) -> Result:
    file = tmp_path / "detectors.yaml"
    file.write_text("detectors:\n" + "".join(f"- {{{entry}}}\n" for entry in entries))
    words = ["validate", "--online", "--detectors", str(file)]
    with patch("cutwatch_cli.template_check.check_template"):
        return CliRunner().invoke(app, words)


def test_validate_asks_cloudwatch_for_each_metric_and_names_the_nearest(tmp_path: Path) -> None:
    users = "name: users, namespace: Shop, metric: Users, statistic: Sum"
    errors = "name: errors, namespace: Shop, metric: Errors, statistic: Sum"

    known = validate(tmp_path, users, f"{errors}, for_each: Function")
    unknown = validate(tmp_path, f"{errors}, dimensions: {{Function: chekout}}")

    assert known.exit_code == 0, known.stderr
    assert known.stdout.endswith(": has every metric\n")
    assert unknown.exit_code == 1
    assert unknown.stderr == (
        "cutwatch: detector 'errors': no metric Shop Errors with Function=chekout; "
        "the nearest has Function=checkout\n"
    )


def test_validate_without_the_permission_says_which(aws: LocalAws, tmp_path: Path) -> None:
    fault = Fault("cloudwatch", "ListMetrics", error="AccessDenied", message="no", status=403)
    with aws.faults.during(fault):
        result = validate(tmp_path, "name: users, namespace: Shop, metric: Users, statistic: Sum")

    assert result.exit_code == 1
    assert "lack the permission cloudwatch:ListMetrics" in result.stderr
