"""Options for files with metrics, shared by `run` and `backtest`."""

from typing import TYPE_CHECKING, Annotated, get_args

import typer

from cutwatch_cli.commands.exits import check_choice

if TYPE_CHECKING:
    from cutwatch_cli.csv_files.reading import ReadingOptions

TimeZone = Annotated[
    str,
    typer.Option(
        "--time-zone",
        help="IANA time zone of the metric's daily pattern, of timestamps without a zone, and of the output.",
    ),
]
Decimal = Annotated[
    str | None,
    typer.Option(
        "--decimal",
        help="Decimal mark: point or comma; the other one separates thousands.",
        show_default=False,
    ),
]
Dates = Annotated[
    str | None,
    typer.Option(
        "--dates",
        help="Order in dates such as 3/4/2026: day-first or month-first.",
        show_default=False,
    ),
]
ValueColumn = Annotated[
    str | None,
    typer.Option("--value", help="Column of the values.", show_default=False),
]
Series = Annotated[
    list[str] | None,
    typer.Option(
        "--series",
        help="Read only the rows with this cell, for files with several series; repeatable.",
        show_default=False,
    ),
]


def reading_options(
    time_zone: str,
    decimal: str | None,
    dates: str | None,
    value: str | None,
    series: list[str] | None,
) -> "ReadingOptions":
    """Return the options of a file; exit if one is not allowed."""
    from cutwatch_cli.csv_files.reading import DateOrder, DecimalMark, ReadingOptions

    if decimal is not None:
        check_choice("--decimal", decimal, get_args(DecimalMark))
    if dates is not None:
        check_choice("--dates", dates, get_args(DateOrder))
    return ReadingOptions(time_zone, decimal, dates, value, tuple(series or ()))  # type: ignore[arg-type]  # checked above
