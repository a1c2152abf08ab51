"""The options of `run`, `backtest` and `export` for what an entry of `detectors.yaml` can say, declared once."""

import inspect
from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, fields
from functools import wraps
from typing import Annotated, Any, get_type_hints

import typer

from cutwatch_cli.commands.options import DETECTORS_FILE, DetectorsFile, Profile, Region

_PARAMETER = "entry"


def _option(*names: str, metavar: str | None = None, help: str) -> Any:  # noqa: A002 - typer's word
    return typer.Option(*names, metavar=metavar, help=help, show_default=False)


@dataclass(frozen=True)
class EntryOptions:
    """The given options; None where the entry, or a detector's own default, decides."""

    detector: Annotated[
        list[str] | None,
        _option(
            "--detector", metavar="NAME", help="Detector or template of --detectors; repeatable."
        ),
    ] = None
    detectors: DetectorsFile = DETECTORS_FILE
    namespace: Annotated[str | None, _option(help="CloudWatch namespace, with --metric.")] = None
    metric: Annotated[str | None, _option(help="CloudWatch metric, in place of --detector.")] = None
    dimension: Annotated[
        list[str] | None,
        _option(metavar="NAME=VALUE", help="Dimension of the metric; repeatable."),
    ] = None
    statistic: Annotated[
        str | None, _option(help="Statistic; default: chosen by the metric's name.")
    ] = None
    period: Annotated[
        int | None, _option(help="Period in seconds; default: the entry's, the file's, or 300.")
    ] = None
    missing_data: Annotated[
        str | None, _option(help="Meaning of a gap: ignore, zero, previous or anomalous.")
    ] = None
    history_days: Annotated[int | None, _option(help="Days of history for training.")] = None
    features: Annotated[
        list[str] | None,
        _option(
            "--feature",
            metavar="NAME",
            help="Feature: value, difference or residual; repeatable.",
        ),
    ] = None
    shingle_size: Annotated[
        int | None, _option(help="Consecutive datapoints that form one row for the forest.")
    ] = None
    engine: Annotated[
        str | None,
        _option(
            help="sagemaker: a static forest per training; lambda: a forest that learns each datapoint "
            "after scoring it."
        ),
    ] = None
    sensitivity: Annotated[str | None, _option(help="Sensitivity: low, medium or high.")] = None
    direction: Annotated[
        str | None, _option(help="Side of the expected value: both, above or below.")
    ] = None
    minimum_absolute: Annotated[
        float | None, _option(help="Least deviation that raises an event, in the metric's unit.")
    ] = None
    minimum_relative: Annotated[
        float | None,
        _option(help="Least deviation that raises an event, as a share of the expected value."),
    ] = None
    exclude: Annotated[
        list[str] | None,
        _option(
            metavar="START/END",
            help="Time to leave out, such as 22:00/06:00, 08:00/12:00/saturday,sunday or "
            "2026-12-24T00:00/2026-12-27T00:00; repeatable.",
        ),
    ] = None
    unit: Annotated[
        str | None,
        _option(
            help="CloudWatch unit of the metric, such as Milliseconds; default: the file's or the entry's."
        ),
    ] = None
    cutoff_method: Annotated[str | None, _option(help="Cutoff: adaptive, training or window.")] = (
        None
    )
    cutoff_sigmas: Annotated[
        float | None, _option(help="k of the cutoffs training and window.")
    ] = None
    time_zone: Annotated[
        str | None,
        _option(
            help="IANA time zone of the metric's daily pattern, of timestamps without a zone, and of the output."
        ),
    ] = None
    since: Annotated[
        str | None,
        _option(
            metavar="TIME",
            help="History to read from CloudWatch, such as 60d; default: all that it keeps.",
        ),
    ] = None
    region: Region = None
    profile: Profile = None

    @property
    def reads_cloudwatch(self) -> bool:
        """True if the options name a metric or entries."""
        return self.metric is not None or bool(self.detector)


def with_entry_options(command: Callable[..., None]) -> Callable[..., None]:
    """Replace the command's parameter `entry` by the fields of `EntryOptions`, which it receives together."""

    @wraps(command)
    def wrapped(**given: Any) -> None:
        own = {each.name: given.pop(each.name) for each in fields(EntryOptions)}
        command(**given, entry=EntryOptions(**own))

    hints = get_type_hints(EntryOptions, include_extras=True)
    entry = [_parameter(each, hints[each.name]) for each in fields(EntryOptions)]
    kept = [
        each.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for each in inspect.signature(command).parameters.values()
        if each.name != _PARAMETER
    ]
    wrapped.__signature__ = inspect.Signature([*kept, *entry])  # type: ignore[attr-defined]
    own = {n: h for n, h in command.__annotations__.items() if n not in (_PARAMETER, "return")}
    wrapped.__annotations__ = own | {each.name: each.annotation for each in entry}
    return wrapped


def _parameter(field: "Field[Any]", annotation: Any) -> inspect.Parameter:
    default = inspect.Parameter.empty if field.default is MISSING else field.default
    return inspect.Parameter(
        field.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )
