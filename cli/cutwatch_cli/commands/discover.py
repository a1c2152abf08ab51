"""`cutwatch discover`: entries for `detectors.yaml` from the metrics of a namespace."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from cutwatch_cli.commands.exits import FAILURE, USAGE_ERROR, end, note
from cutwatch_cli.commands.options import Profile, Region

if TYPE_CHECKING:
    from cutwatch_cli.discovery.suggestions import ListedMetric


def discover(
    namespace: Annotated[str, typer.Option(help="CloudWatch namespace, such as AWS/Lambda.")],
    dimension: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME[=VALUE]", help="Only metrics with this dimension; repeatable."),
    ] = None,
    metric: Annotated[str | None, typer.Option(help="Only metrics of this name.")] = None,
    for_each: Annotated[
        str | None,
        typer.Option(
            metavar="DIMENSION", help="Print templates over this dimension, not detectors."
        ),
    ] = None,
    statistic: Annotated[
        str | None,
        typer.Option(help="Statistic of all entries; default: chosen by the metric's name."),
    ] = None,
    period: Annotated[int | None, typer.Option(help="Period in seconds; default: 300.")] = None,
    region: Region = None,
    profile: Profile = None,
    limit: Annotated[int, typer.Option(min=1, help="Maximum number of entries.")] = 100,
) -> None:
    """Print detectors.yaml entries for metrics in CloudWatch. Notes go to stderr."""
    from cutwatch.wording import count
    from cutwatch_cli.discovery.suggestions import detector_entries, stanza, template_entries

    _check(namespace, statistic, period)
    listed = _listed(namespace, metric, dimension or [], region, profile)
    metrics = [each for each in listed if not each.looks_like_a_wildcard]
    if len(metrics) < len(listed):
        note(f"{count(len(listed) - len(metrics), 'metric')} left out: a dimension's value is *")
    if for_each is None:
        entries = detector_entries(metrics, statistic, period)
    else:
        entries = template_entries(metrics, for_each, statistic, period)
    if not entries:
        end(_nothing(namespace, metric, dimension or [], for_each), FAILURE)
    note(f"{count(len(metrics), 'metric')} in {namespace}, {_entries(len(entries))}")
    if len(entries) > limit:
        note(f"{_entries(len(entries) - limit)} left out by --limit {limit}")
    typer.echo(stanza(entries[:limit]), nl=False)


def _entries(number: int) -> str:
    return f"{number:,} entr{'y' if number == 1 else 'ies'}"


def _check(namespace: str, statistic: str | None, period: int | None) -> None:
    from cutwatch.detectors.detector import Detector

    try:
        Detector(
            "any", namespace, "any", statistic or "Sum", period=300 if period is None else period
        )
    except ValueError as error:
        for line in str(error).splitlines():
            note(f"--{line}")
        raise typer.Exit(USAGE_ERROR) from None


def _listed(
    namespace: str,
    metric: str | None,
    dimensions: Sequence[str],
    region: str | None,
    profile: str | None,
) -> list["ListedMetric"]:
    from botocore.exceptions import BotoCoreError, ClientError

    from cutwatch_cli.discovery.listed_metrics import listed_metrics
    from cutwatch_cli.stacks.account import Account, explanation

    try:
        account = Account.reached_by(profile, region)
        region = account.region
        return list(listed_metrics(account.client("cloudwatch"), namespace, metric, dimensions))
    except (BotoCoreError, ClientError) as error:
        end(explanation(error, region), FAILURE)


def _nothing(
    namespace: str, metric: str | None, dimensions: Sequence[str], for_each: str | None
) -> str:
    wanted = [*dimensions, *([for_each] if for_each else [])]
    return (
        f"no metric {metric or ''}{' ' * bool(metric)}in namespace {namespace}"
        f"{' with ' * bool(wanted)}{', '.join(wanted)}; CloudWatch lists metrics with datapoints in the last "
        "two weeks, in one region"
    )
