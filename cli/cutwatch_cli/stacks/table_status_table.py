"""The tables of watched tables of `cutwatch status`, and their problems in words."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from rich.table import Table

from cutwatch.wording import span_in_words
from cutwatch_cli.stacks.table_status import TableStatus

_NO_VALUE = "–"


def table_status_tables(found: Sequence[TableStatus], now: datetime) -> Iterator[Table]:
    """Yield a table of those with an endpoint and one of those with forests, with a row for each, red where there are problems."""
    by_endpoint = [each for each in found if each.stack.endpoint]
    by_forest = [each for each in found if not each.stack.endpoint]
    if by_endpoint:
        yield _table(
            ("Endpoint", "Newest training"),
            ("Model's age", "Rows", "Cutoff"),
            [(each, _model_cells(each, now)) for each in by_endpoint],
        )
    if by_forest:
        yield _table(
            (),
            ("Keys", "Applied", "Late", "Rejected", "Newest change"),
            [(each, _forest_cells(each, now)) for each in by_forest],
        )


def _table(
    words: Sequence[str],
    numbers: Sequence[str],
    rows: Sequence[tuple[TableStatus, Sequence[str]]],
) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("Table", no_wrap=True, max_width=40)
    for heading in words:
        table.add_column(heading, no_wrap=True)
    for heading in (*numbers, "Open", "Incidents/week"):
        table.add_column(heading, justify="right", no_wrap=True)
    for heading in ("Mapping", "Last result"):
        table.add_column(heading, no_wrap=True)
    for each, cells in rows:
        counts = (str(each.open), str(each.incidents))
        mapping = (each.changes.mapping or _NO_VALUE, each.changes.result or _NO_VALUE)
        style = "red" if each.problems else None
        table.add_row(each.stack.stream, *cells, *counts, *mapping, style=style)
    return table


def _model_cells(each: TableStatus, now: datetime) -> list[str]:
    cutoff, training = each.model.cutoff, each.model.training
    trained = cutoff and datetime.fromisoformat(cutoff.trained_at)
    return [
        each.model.endpoint.status or _NO_VALUE,
        training.status if training else _NO_VALUE,
        span_in_words(now - trained) if trained else _NO_VALUE,
        f"{cutoff.rows:,}" if cutoff else _NO_VALUE,
        f"{cutoff.value:.3g}" if cutoff else _NO_VALUE,
    ]


def _forest_cells(each: TableStatus, now: datetime) -> list[str]:
    state = each.forests
    if state is None:
        return [_NO_VALUE] * 5
    numbers = (state.keys, state.applied, state.late, state.rejected)
    newest = f"{span_in_words(now - state.newest)} ago" if state.newest else _NO_VALUE
    return [*(f"{number:,}" for number in numbers), newest]


def table_remarks(found: Sequence[TableStatus]) -> Iterator[str]:
    """List problems and silences below the table, because they may be long."""
    for each in found:
        name = each.stack.stream
        yield from (f"{name}: {problem}" for problem in each.problems)
        if each.silence:
            yield f"{name}: silenced until {each.silence.until:%Y-%m-%d %H:%M}: {each.silence.reason}"
