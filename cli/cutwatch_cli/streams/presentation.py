"""A stream's backtest in the terminal."""

from datetime import UTC, datetime, timedelta
from typing import Literal

from rich.table import Table

from cutwatch.errors import legible
from cutwatch.streams.incidents import ColumnFinding, Incident
from cutwatch.wording import count, number_in_words, severity_multiple, span_in_words
from cutwatch_cli.streams.stream_backtest import StreamBacktest

MOST_INCIDENTS = 50


def counts_table(backtest: StreamBacktest) -> Table:
    """Return a row for each count; the reason of rejected records has its first line."""
    table = _table("", ">Records", "")
    table.add_row("read", f"{backtest.read:,}")
    table.add_row("late", f"{backtest.late:,}")
    if backtest.dropped or backtest.added:
        table.add_row("dropped by the preprocessor", f"{backtest.dropped:,}")
        table.add_row("added by the preprocessor", f"{backtest.added:,}")
    for reason, number in backtest.rejected.most_common():
        first = backtest.examples[reason]
        detail = f"line {first.position}: {legible(first.detail)}"
        table.add_row(f"rejected: {reason}", f"{number:,}", detail)
    rows = "windows" if backtest.stream.window.size else "records"
    table.add_row(f"{rows} learned before the first score", f"{backtest.learning:,}")
    table.add_row(f"{rows} scored", f"{backtest.scored:,}", _keys(backtest))
    if backtest.open_windows:
        table.add_row("windows still open", f"{backtest.open_windows:,}")
    return table


def incidents_table(backtest: StreamBacktest) -> Table:
    """Return a row for each of the most severe incidents, in the order in which they began."""
    every = list(backtest.incidents.values())
    worst = sorted(every, key=lambda each: each.severity, reverse=True)[:MOST_INCIDENTS]
    table = _table(
        "Begins (UTC)", "Key", ">Lasts", ">Rows", "Severity", ">x cutoff", "Column", ">Value", "Expected"
    )  # fmt: skip
    for each in sorted(worst, key=lambda each: each.begin_time):
        table.add_row(*_cells(each, is_open=each.id not in backtest.ended))
    if len(every) > len(worst):
        table.caption = f"{count(len(every) - len(worst), 'less severe incident')} not shown"
    return table


def _cells(incident: Incident, *, is_open: bool) -> list[str]:
    leading = max(incident.columns, key=lambda each: each.attribution)
    lasts = span_in_words(timedelta(seconds=incident.last_time - incident.begin_time))
    return [
        f"{datetime.fromtimestamp(incident.begin_time, UTC):%Y-%m-%d %H:%M:%S}",
        legible(incident.key) or "–",
        f"{lasts}, open" if is_open else lasts,
        f"{incident.rows:,}",
        incident.severity_word,
        severity_multiple(float(incident.severity)),
        leading.column,
        number_in_words(leading.value),
        _expected(leading),
    ]


def _expected(leading: ColumnFinding) -> str:
    if leading.expected is None:
        return "–"
    value, low, high = map(number_in_words, leading.expected)
    return f"{value} ({low} to {high})"


def _keys(backtest: StreamBacktest) -> str:
    keys = count(backtest.keys, "key")
    return f"{keys}; {backtest.evicted:,} idle evicted" if backtest.evicted else keys


def _table(*headings: str) -> Table:
    """Return a table; headings that begin with > are of numbers."""
    table = Table(box=None, pad_edge=False, title_justify="left", caption_justify="left")
    for heading in headings:
        justify: Literal["left", "right"] = "right" if heading.startswith(">") else "left"
        table.add_column(heading.removeprefix(">"), justify=justify, no_wrap=True)
    return table
