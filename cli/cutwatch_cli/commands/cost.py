"""`cutwatch cost`: monthly cost of the detectors in a file, of a stream, or of a table."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from cutwatch_cli.commands.exits import USAGE_ERROR, end
from cutwatch_cli.commands.options import DETECTORS_FILE, AsJson, DetectorsFile

if TYPE_CHECKING:
    from rich.console import RenderableType

    from cutwatch_cli.cost.estimate import Estimate
    from cutwatch_cli.cost.request import CostRequest
    from cutwatch_cli.cost.stream_estimate import StreamEstimate
    from cutwatch_cli.cost.table_estimate import TableEstimate

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
    table: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Estimate a table of the file instead, by endpoint and by forest; any stands for one with the defaults.",
            show_default=False,
        ),
    ] = None,
    items: Annotated[
        int, typer.Option(min=1, help="Items of the table, which each training reads.")
    ] = 100_000,
    records_per_second: Annotated[
        float,
        typer.Option(min=0.001, help="Records of the stream, or changes of the table, per second."),
    ] = 100,
    keys: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=10_000,
            help="Keys of the stream or the table; default: the entry's limit.",
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
    record_bytes: Annotated[
        float, typer.Option(min=1, help="Bytes of a record or an item.")
    ] = 1_000,
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
    live: Annotated[
        bool, typer.Option("--live", help="Cost of live detection at 1, 5, 15 and 60 minutes.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Estimate the monthly cost of detectors, streams or tables.

    A stream is estimated by batching window and number of keys, a table by changes per second and engine.
    """
    from cutwatch.errors import InvalidDetectors
    from cutwatch_cli.cost.named_numbers import NumberMistake
    from cutwatch_cli.cost.request import CostRequest
    from cutwatch_cli.cost.stream_request import StreamCostRequest
    from cutwatch_cli.cost.table_request import TableCostRequest

    if [live, stream is not None, table is not None].count(True) > 1:
        end(
            "--live is for detectors, --stream for a stream, --table for a table; choose one",
            USAGE_ERROR,
        )
    request: CostRequest | StreamCostRequest | TableCostRequest
    load = (records_per_second, keys, shards, record_bytes)
    numbers = (tuple(price or ()), tuple(assume or ()))
    if stream is not None:
        request = StreamCostRequest(stream, detectors, *load, *numbers)
    elif table is not None:
        request = TableCostRequest(table, detectors, *load, items, *numbers)
    else:
        request = CostRequest(
            detectors,
            transform_schedule,
            transforms_per_month,
            trainings_per_month,
            engine,
            count,
            *numbers,
        )
    try:
        estimate = request.estimate()
        if live and isinstance(request, CostRequest):
            _print_live(request, as_json=as_json)
            return
    except (InvalidDetectors, NumberMistake) as error:
        end(str(error), USAGE_ERROR)
    _show(estimate, show_details=show_details, as_json=as_json)


def _show(
    estimate: "Estimate | StreamEstimate | TableEstimate", *, show_details: bool, as_json: bool
) -> None:
    from cutwatch_cli.cost.stream_estimate import StreamEstimate
    from cutwatch_cli.cost.stream_tables import stream_answer, stream_details
    from cutwatch_cli.cost.table_estimate import TableEstimate
    from cutwatch_cli.cost.table_tables import table_answer, table_details
    from cutwatch_cli.cost.tables import answer, details

    if as_json:
        typer.echo(json.dumps(estimate.to_payload(), indent=2))
    elif isinstance(estimate, StreamEstimate):
        _print(stream_answer(estimate), stream_details(estimate) if show_details else None)
    elif isinstance(estimate, TableEstimate):
        _print(table_answer(estimate), table_details(estimate) if show_details else None)
    else:
        _print(answer(estimate), details(estimate) if show_details else None)


def _print(answer: "RenderableType", details: "RenderableType | None") -> None:
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    console.width = _TABLE_WIDTH
    console.print(answer)
    if details is not None:
        console.print(details)


def _print_live(request: "CostRequest", *, as_json: bool) -> None:
    from rich.console import Console

    from cutwatch_cli.cost.live import live_table

    estimate, costs = request.estimate(), request.live_costs()
    alarm, batch = estimate.prices["anomaly_alarm"].each, estimate.bill.per_detector
    if as_json:
        content = {
            "live": [each.to_payload() for each in costs],
            "cloudwatch_alarm": alarm,
            "batch_per_metric": batch,
        }
        typer.echo(json.dumps(content, indent=2))
    else:
        Console(highlight=False, soft_wrap=True).print(live_table(costs, alarm, batch))
