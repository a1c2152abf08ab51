"""`cutwatch cost`: monthly cost of the detectors in a file, or of a stream."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from cutwatch_cli.commands.exits import USAGE_ERROR, end
from cutwatch_cli.commands.options import DETECTORS_FILE, AsJson, DetectorsFile

if TYPE_CHECKING:
    from rich.console import RenderableType

_TABLE_WIDTH = 120


def cost(
    detectors: DetectorsFile = DETECTORS_FILE,
    transform_schedule: Annotated[
        str, typer.Option(help="Transform schedule: weekly, daily or hourly.")
    ] = "weekly",
    transforms_per_month: Annotated[
        float | None,
        typer.Option(
            min=0, help="Transforms per month, in place of a schedule.", show_default=False
        ),
    ] = None,
    trainings_per_month: Annotated[float, typer.Option(min=0, help="Trainings per month.")] = 1,
    engine: Annotated[
        str | None,
        typer.Option(help="Engine of all detectors: sagemaker or lambda.", show_default=False),
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="Number of copies of each detector.")] = 1,
    stream: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Estimate a stream of the file instead; any stands for one with the defaults.",
            show_default=False,
        ),
    ] = None,
    records_per_second: Annotated[
        float, typer.Option(min=0.001, help="Records of the stream per second.")
    ] = 100,
    keys: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=10_000,
            help="Keys of the stream; default: the entry's limit.",
            show_default=False,
        ),
    ] = None,
    shards: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Shards of the stream; default: as many as the records need.",
            show_default=False,
        ),
    ] = None,
    record_bytes: Annotated[float, typer.Option(min=1, help="Bytes of a record.")] = 1_000,
    price: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=DOLLARS", help="Change a price; repeatable.", show_default=False
        ),
    ] = None,
    assume: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE", help="Change an assumption; repeatable.", show_default=False
        ),
    ] = None,
    show_details: Annotated[
        bool, typer.Option("--details", help="Print the bill, prices and assumptions too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Estimate the monthly cost of detectors, or of a stream.

    A stream is estimated by batching window and number of keys.
    """
    from cutwatch.errors import InvalidDetectors
    from cutwatch_cli.cost.named_numbers import NumberMistake
    from cutwatch_cli.cost.request import CostRequest
    from cutwatch_cli.cost.stream_estimate import StreamEstimate
    from cutwatch_cli.cost.stream_request import StreamCostRequest
    from cutwatch_cli.cost.stream_tables import stream_answer, stream_details
    from cutwatch_cli.cost.tables import answer, details

    request: CostRequest | StreamCostRequest
    if stream is not None:
        request = StreamCostRequest(
            stream,
            detectors,
            records_per_second,
            keys,
            shards,
            record_bytes,
            tuple(price or ()),
            tuple(assume or ()),
        )
    else:
        request = CostRequest(
            detectors,
            transform_schedule,
            transforms_per_month,
            trainings_per_month,
            engine,
            count,
            tuple(price or ()),
            tuple(assume or ()),
        )
    try:
        estimate = request.estimate()
    except (InvalidDetectors, NumberMistake) as error:
        end(str(error), USAGE_ERROR)
    if as_json:
        typer.echo(json.dumps(estimate.to_payload(), indent=2))
    elif isinstance(estimate, StreamEstimate):
        _print(stream_answer(estimate), stream_details(estimate) if show_details else None)
    else:
        _print(answer(estimate), details(estimate) if show_details else None)


def _print(answer: "RenderableType", details: "RenderableType | None") -> None:
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    console.width = _TABLE_WIDTH
    console.print(answer)
    if details is not None:
        console.print(details)
