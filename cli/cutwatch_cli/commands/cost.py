"""`cutwatch cost`: monthly cost of the detectors in a file."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from cutwatch_cli.commands.exits import USAGE_ERROR, end
from cutwatch_cli.commands.options import DETECTORS_FILE, AsJson, DetectorsFile

if TYPE_CHECKING:
    from cutwatch_cli.cost.estimate import Estimate
    from cutwatch_cli.cost.live import LiveCost

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
    """Estimate the monthly cost of the detectors in a file."""
    from rich.console import Console

    from cutwatch.errors import InvalidDetectors
    from cutwatch_cli.cost.named_numbers import NumberMistake
    from cutwatch_cli.cost.request import CostRequest
    from cutwatch_cli.cost.tables import answer, details

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
        costs = request.live_costs() if live else []
    except (InvalidDetectors, NumberMistake) as error:
        end(str(error), USAGE_ERROR)
    if live:
        _print_live(costs, estimate, as_json=as_json)
    elif as_json:
        typer.echo(json.dumps(estimate.to_payload(), indent=2))
    else:
        console = Console(highlight=False, soft_wrap=True)
        console.print(answer(estimate))
        if show_details:
            console.width = _TABLE_WIDTH
            console.print(details(estimate))


def _print_live(costs: "list[LiveCost]", estimate: "Estimate", *, as_json: bool) -> None:
    from rich.console import Console

    from cutwatch_cli.cost.live import live_table

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
