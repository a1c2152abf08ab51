"""The table of streams of `cutwatch status`, and their problems in words."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from rich.table import Table

from cutwatch.wording import span_in_words
from cutwatch_cli.stacks.stream_status import StreamStatus, cold_start_problem


def stream_status_table(found: Sequence[StreamStatus], now: datetime) -> Table:
    """Return a row for each stream, red where there are problems."""
    table = Table(box=None, pad_edge=False)
    table.add_column("Stream", no_wrap=True, max_width=40)
    for heading in (
        "Keys",
        "Applied",
        "Late",
        "Rejected",
        "Newest record",
        "Open",
        "Incidents/week",
    ):
        table.add_column(heading, justify="right", no_wrap=True)
    for heading in ("Mapping", "Last result"):
        table.add_column(heading, no_wrap=True)
    for each in found:
        table.add_row(*_cells(each, now), style="red" if each.problems else None)
    return table


def _cells(each: StreamStatus, now: datetime) -> list[str]:
    state = each.state
    numbers = (state.keys, state.applied, state.late, state.rejected)
    return [
        each.stack.stream,
        *(f"{number:,}" for number in numbers),
        f"{span_in_words(now - state.newest)} ago" if state.newest else "–",
        str(each.open),
        str(each.incidents),
        each.evidence.mapping or "–",
        each.evidence.result or "–",
    ]


def stream_remarks(found: Sequence[StreamStatus]) -> Iterator[str]:
    """List problems and silences below the table, because they may be long."""
    for each in found:
        name = each.stack.stream
        yield from (f"{name}: {problem}" for problem in each.problems)
        if (
            each.cold_start
            and (problem := cold_start_problem(each.stack, each.cold_start)) not in each.problems
        ):
            yield f"{name}: {problem}"
        if each.model and each.model.held:
            yield f"{name}: model {each.model.version} is held since a rollback; cutwatch train --stream {name} ends that"
        if each.silence:
            yield f"{name}: silenced until {each.silence.until:%Y-%m-%d %H:%M}: {each.silence.reason}"
