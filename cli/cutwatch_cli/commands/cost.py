"""`cutwatch cost`: dollars a month for the detectors of a file."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cutwatch.errors import InvalidDetectors


def cost(
    detectors: Annotated[Path, typer.Option(help="The file that says what to watch.")] = Path(
        "functions/detectors.yaml"
    ),
    transform_schedule: Annotated[str, typer.Option(help="weekly, daily or hourly.")] = "weekly",
    transforms_per_month: Annotated[
        float | None,
        typer.Option(min=0, help="Instead of a schedule.", show_default=False),
    ] = None,
    trainings_per_month: Annotated[float, typer.Option(min=0, help="Of every detector.")] = 1,
    engine: Annotated[
        str | None,
        typer.Option(help="sagemaker or lambda, for all of them.", show_default=False),
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="Pretend each detector so many times.")] = 1,
    price: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=DOLLARS", help="Another price.", show_default=False),
    ] = None,
    assume: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Another assumption.", show_default=False),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="All numbers for another program.")
    ] = False,
) -> None:
    """Estimate what the detectors cost a month, beside CloudWatch's own anomaly detection alarms."""
    from cutwatch_cli.cost.named_numbers import NumberMistake
    from cutwatch_cli.cost.request import CostRequest
    from cutwatch_cli.cost.tables import render

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
        typer.echo(f"cutwatch: {error}", err=True)
        raise typer.Exit(2) from None
    if as_json:
        typer.echo(json.dumps(estimate.to_payload(), indent=2))
    else:
        Console(highlight=False, width=120).print(render(estimate))
