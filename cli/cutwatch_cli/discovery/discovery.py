"""`cutwatch discover`: what there is to watch in a namespace, as entries for `detectors.yaml`."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from cutwatch.detectors.detector import Detector

if TYPE_CHECKING:
    from cutwatch_cli.discovery.suggestions import ListedMetric

_FAILURE, _USER_MISTAKE = 1, 2


def discover(
    namespace: Annotated[str, typer.Option(help="CloudWatch namespace, such as AWS/Lambda.")],
    dimension: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME[=VALUE]", help="Only metrics with this dimension; repeatable."),
    ] = None,
    metric: Annotated[str | None, typer.Option(help="Only metrics of this name.")] = None,
    for_each: Annotated[
        str | None,
        typer.Option(metavar="DIMENSION", help="Print templates over this dimension instead."),
    ] = None,
    statistic: Annotated[
        str | None, typer.Option(help="For all; by default what suits each metric's name.")
    ] = None,
    period: Annotated[int | None, typer.Option(help="Seconds; by default 300.")] = None,
    region: Annotated[str | None, typer.Option(help="By default the credentials' own.")] = None,
    profile: Annotated[str | None, typer.Option(help="Profile of the AWS configuration.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Print at most so many entries.")] = 100,
) -> None:
    """Print a detectors.yaml for the metrics that CloudWatch knows; notes go to stderr."""
    from cutwatch_cli.discovery.suggestions import detector_entries, stanza, template_entries  # noqa: PLC0415

    _check(namespace, statistic, period)
    metrics = _listed(namespace, metric, dimension or [], region, profile)
    if for_each is None:
        entries = detector_entries(metrics, statistic, period)
    else:
        entries = template_entries(metrics, for_each, statistic, period)
    if not entries:
        _end(_nothing(namespace, metric, dimension or [], for_each), _FAILURE)
    _note(f"{len(metrics)} metrics in {namespace}, {len(entries)} entries")
    if len(entries) > limit:
        _note(f"{len(entries) - limit} entries left out by --limit {limit}")
    typer.echo(stanza(entries[:limit]), nl=False)


def _check(namespace: str, statistic: str | None, period: int | None) -> None:
    try:
        Detector(
            "any", namespace, "any", statistic or "Sum", period=300 if period is None else period
        )
    except ValueError as error:
        for line in str(error).splitlines():
            _note(f"--{line}")
        raise typer.Exit(_USER_MISTAKE) from None


def _listed(
    namespace: str,
    metric: str | None,
    dimensions: Sequence[str],
    region: str | None,
    profile: str | None,
) -> list["ListedMetric"]:
    """What ListMetrics answers; what AWS refuses ends the command with a line that says what to do."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    from cutwatch_cli.stacks.account import Account, explanation  # noqa: PLC0415

    asked: dict[str, Any] = {"Namespace": namespace}
    if metric:
        asked["MetricName"] = metric
    if dimensions:
        asked["Dimensions"] = [_dimension_filter(each) for each in dimensions]
    try:
        account = Account.reached_by(profile, region)
        region = account.region
        return list(_pages(account.client("cloudwatch"), asked))
    except (BotoCoreError, ClientError) as error:
        _end(explanation(error, region), _FAILURE)


def _dimension_filter(text: str) -> dict[str, str]:
    name, equals, value = text.partition("=")
    return {"Name": name, "Value": value} if equals else {"Name": name}


def _pages(cloudwatch: Any, asked: dict[str, Any]) -> Iterator["ListedMetric"]:
    from cutwatch_cli.discovery.suggestions import ListedMetric  # noqa: PLC0415

    for page in cloudwatch.get_paginator("list_metrics").paginate(**asked):
        for found in page["Metrics"]:
            dimensions = sorted((each["Name"], each["Value"]) for each in found["Dimensions"])
            yield ListedMetric(found["Namespace"], found["MetricName"], tuple(dimensions))


def _nothing(
    namespace: str, metric: str | None, dimensions: Sequence[str], for_each: str | None
) -> str:
    wanted = [*dimensions, *([for_each] if for_each else [])]
    return (
        f"no metric {metric or ''}{' ' * bool(metric)}in namespace {namespace}"
        f"{' with ' * bool(wanted)}{', '.join(wanted)}; CloudWatch lists what has reported in the last two "
        "weeks, in one region"
    )


def _note(message: str) -> None:
    typer.echo(f"cutwatch: {message}", err=True)


def _end(message: str, code: int) -> NoReturn:
    _note(message)
    raise typer.Exit(code)
