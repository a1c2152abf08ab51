"""`cutwatch discover`: what there is to watch in a namespace, as entries for `detectors.yaml`."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from cutwatch.detector import Detector

if TYPE_CHECKING:
    from local.suggestions import ListedMetric

_FAILURE, _USER_MISTAKE = 1, 2
_ACTION = "cloudwatch:ListMetrics"
_LACKS_PERMISSION = (
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "UnauthorizedOperation",
)
_NOT_ACCEPTED = (
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
)
_NO_CREDENTIALS = "no usable AWS credentials; sign in, set AWS_PROFILE, or give --profile"


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
    from local.suggestions import detector_entries, stanza, template_entries  # noqa: PLC0415

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
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    asked: dict[str, Any] = {"Namespace": namespace}
    if metric:
        asked["MetricName"] = metric
    if dimensions:
        asked["Dimensions"] = [_dimension_filter(each) for each in dimensions]
    try:
        session = boto3.session.Session(profile_name=profile, region_name=region)
        region = session.region_name
        config = Config(retries={"mode": "standard"}, connect_timeout=3, read_timeout=12)
        return list(_pages(session.client("cloudwatch", config=config), asked))
    except (BotoCoreError, ClientError) as error:
        _end(_explanation(error, region), _FAILURE)


def _dimension_filter(text: str) -> dict[str, str]:
    name, equals, value = text.partition("=")
    return {"Name": name, "Value": value} if equals else {"Name": name}


def _pages(cloudwatch: Any, asked: dict[str, Any]) -> Iterator["ListedMetric"]:
    from local.suggestions import ListedMetric  # noqa: PLC0415

    for page in cloudwatch.get_paginator("list_metrics").paginate(**asked):
        for found in page["Metrics"]:
            dimensions = sorted((each["Name"], each["Value"]) for each in found["Dimensions"])
            yield ListedMetric(found["Namespace"], found["MetricName"], tuple(dimensions))


def _explanation(error: Exception, region: str | None) -> str:
    """One line: what went wrong, and what to do about it."""
    from botocore import exceptions  # noqa: PLC0415

    said = " ".join(str(error).split())
    reasons: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
        ((exceptions.ClientError,), _refusal(error, region)),
        ((exceptions.ProfileNotFound,), f"--profile: {said}"),
        ((exceptions.NoRegionError,), "no region; set AWS_REGION, or give --region"),
        (
            (
                exceptions.ConnectionError,
                exceptions.HTTPClientError,
                exceptions.InvalidRegionError,
            ),
            f"CloudWatch cannot be reached in region {region!r}; is the region right? {said}",
        ),
        (
            (exceptions.NoCredentialsError, exceptions.PartialCredentialsError),
            _NO_CREDENTIALS,
        ),
        (
            (exceptions.CredentialRetrievalError, exceptions.SSOError),
            f"{_NO_CREDENTIALS}: {said}",
        ),
    )
    return next((reason for kinds, reason in reasons if isinstance(error, kinds)), said)


def _refusal(error: Any, region: str | None) -> str:
    detail = getattr(error, "response", {}).get("Error", {})
    code, message = str(detail.get("Code")), " ".join(str(detail.get("Message")).split())
    if code in _LACKS_PERMISSION:
        return f"these credentials lack the permission {_ACTION}: {message}"
    if code in _NOT_ACCEPTED:
        return (
            f"AWS does not accept these credentials in region {region!r}; are they current, and is "
            f"the region enabled? {message} ({code})"
        )
    return f"ListMetrics: {message} ({code})"


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
