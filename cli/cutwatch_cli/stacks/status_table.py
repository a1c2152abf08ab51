"""The table of `cutwatch status`, and its problems in words."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from rich.table import Table

from cutwatch.wording import count, number_in_words, span_in_words
from cutwatch_cli.stacks.detector_status import DetectorStatus


def status_table(found: Sequence[DetectorStatus], now: datetime) -> Table:
    """Return a row for each detector, red where there are problems."""
    table = Table(box=None, pad_edge=False)
    table.add_column("Detector", no_wrap=True, max_width=40)
    for heading in ("Engine", "Model"):
        table.add_column(heading, no_wrap=True)
    table.add_column("Cutoff", justify="right", no_wrap=True)
    for heading in ("Published through", "Last run", "Outcome"):
        table.add_column(heading, no_wrap=True)
    table.add_column("Events/week", justify="right", no_wrap=True)
    is_live = any(each.live for each in found)
    if is_live:
        table.add_column("Live", no_wrap=True)
    for each in found:
        live = [each.live.in_words(now) if each.live else "–"] if is_live else []
        table.add_row(*_cells(each, now), *live, style="red" if each.problems else None)
    return table


def _cells(each: DetectorStatus, now: datetime) -> list[str]:
    run, outcome = each.last or (None, None)
    return [
        each.name,
        each.engine or "–",
        f"{span_in_words(now - each.trained)} old" if each.trained else "–",
        number_in_words(each.cutoff),
        _published(each.published_through, now),
        run.id if run else "–",
        outcome.status if outcome else "–",
        str(each.events),
    ]


def _published(through: datetime | None, now: datetime) -> str:
    if through is None:
        return "–"
    return f"{through:%m-%d %H:%M} ({span_in_words(now - through)} ago)"


def remarks(found: Sequence[DetectorStatus]) -> Iterator[str]:
    """List problems, misses of live detection and silences below the table, because they may be long."""
    for each in found:
        yield from (f"{each.name}: {problem}" for problem in each.problems)
        run, outcome = each.last or (None, None)
        if run and outcome and outcome.live_missed:
            missed = count(outcome.live_missed, "incident")
            yield f"{each.name}: live runs missed {missed}, which {run.label} found"
        if each.silence:
            until = f"{each.silence.until:%Y-%m-%d %H:%M}"
            yield f"{each.name}: silenced until {until}: {each.silence.reason}"
