"""`cutwatch compare`: the models of streams side by side, on planted or labelled records."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cutwatch_cli.commands.exits import USAGE_ERROR, end
from cutwatch_cli.commands.options import AsJson, show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from cutwatch_cli.access_logs.comparison import ModelResult
    from cutwatch_cli.access_logs.faults import Fault
    from cutwatch_cli.access_logs.shop import Request

# The generated log begins on a Monday at midnight.
_MONDAY, _DAY = 1_780_272_000.0, 86_400
_MARGIN = 0.02


class ModelName(StrEnum):
    """Models that can be compared."""

    RANDOM_CUT_FOREST = "random_cut_forest"
    HARMONIC_REGRESSION = "harmonic_regression"
    ONE_CLASS_SVM = "one_class_svm"
    RANDOM_CUT_FOREST_ENDPOINT = "random_cut_forest_endpoint"


def compare(
    records: Annotated[
        Path | None,
        typer.Argument(
            help="File of log records, one per line. Without it, a shop's log is generated."
        ),
    ] = None,
    stream: Annotated[
        str,
        typer.Option(
            "--stream", help="Name of the stream in the detectors file whose log FILE is."
        ),
    ] = "",
    label: Annotated[
        str,
        typer.Option(
            help="Place of the label in a JSON record (JMESPath); a record is anomalous if it has a value other than false, 0 or empty."
        ),
    ] = "",
    detectors: Annotated[Path, typer.Option(help="The detectors file.")] = Path(
        "functions/detectors.yaml"
    ),
    days: Annotated[
        int, typer.Option(help="Days of the generated log, 3 to 60.", min=3, max=60)
    ] = 10,
    rate: Annotated[
        float,
        typer.Option(
            help="Requests a second at the busiest time of the generated log.", min=0.05, max=100
        ),
    ] = 1.0,
    seed: Annotated[int, typer.Option(help="Seed of the generated log and of the forest.")] = 1,
    models: Annotated[
        list[ModelName], typer.Option("--model", help="Model to compare; repeat it for several.")
    ] = list(ModelName),  # noqa: B006 - typer copies it
    *,
    as_json: AsJson = False,
) -> None:
    """Compare the models of log records.

    The first 80 % of the records train, the rest is scored.
    """
    from cutwatch.anomaly_models.training import TrainingSettings
    from cutwatch.detectors.stream import ForestSettings
    from cutwatch.errors import CutwatchError
    from cutwatch_cli.access_logs.comparison import UNITS, rows_of_log
    from cutwatch_cli.access_logs.comparison import compare as compare_model
    from cutwatch_cli.access_logs.labelled_file import read_requests

    try:
        if records is None:
            requests, faults, zone = _generated(days, rate, seed)
        else:
            requests, zone = read_requests(records, detectors, stream, label)
            faults = ()
        rows = rows_of_log(requests, faults, zone)
        settings = TrainingSettings(ForestSettings(trees=50), seed)
        results = [
            compare_model(kind.value, UNITS[kind.value], rows[UNITS[kind.value]], settings)
            for kind in models
        ]
    except CutwatchError as error:
        end(str(error), USAGE_ERROR)
    if as_json:
        typer.echo(json.dumps([each.to_payload() for each in results], indent=2))
    else:
        show(_table(results))


def _generated(days: int, rate: float, seed: int) -> "tuple[list[Request], Sequence[Fault], str]":
    """Return a shop's requests, with a fault of each kind in the part that is scored."""
    from cutwatch.anomaly_models.fitted_model import TRAINING_SHARE
    from cutwatch_cli.access_logs.faults import planted_faults
    from cutwatch_cli.access_logs.shop import Shop

    end_of_log = _MONDAY + days * _DAY
    # Requests are fewer at night, so the share of records is not that of the time.
    scored = _MONDAY + days * _DAY * (TRAINING_SHARE + _MARGIN)
    faults = planted_faults(scored, end_of_log)
    shop = Shop(_MONDAY, days * _DAY, rate, seed, faults)
    return list(shop.requests()), faults, "UTC"


def _table(results: "Sequence[ModelResult]") -> "Table":
    from rich.table import Table

    table = Table(box=None)
    for name in ("Model", "Row"):
        table.add_column(name)
    for name in ("Rows", "Precision", "Recall", "False alarms", "ROC AUC", "us a row", "KB", "Fit s"):  # fmt: skip
        table.add_column(name, justify="right")
    for name in ("Found", "Missed"):
        table.add_column(name)
    for each in results:
        table.add_row(*_cells(each))
    return table


def _cells(result: "ModelResult") -> list[str]:
    return [
        result.model,
        result.unit,
        f"{result.rows:,}",
        _number(result.precision),
        _number(result.recall),
        f"{result.false_alarms:.2%}",
        _number(result.roc_auc),
        f"{result.microseconds:.0f}",
        f"{result.size / 1_000:,.0f}",
        f"{result.fit_seconds:.1f}",
        ", ".join(result.found) or "-",
        ", ".join(result.missed) or "-",
    ]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
