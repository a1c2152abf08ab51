"""A stream's cost as tables."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cutwatch.wording import count, number_in_words
from cutwatch_cli.cost.stream_bill import SERVICES, StreamBill
from cutwatch_cli.cost.stream_estimate import (
    HOT_KEY_LIMIT,
    NOT_COUNTED,
    WINDOWS,
    StreamEstimate,
)
from cutwatch_cli.cost.tables import dollars, named_table, prices_table, quantity


def stream_answer(estimate: StreamEstimate) -> RenderableType:
    """Render dollars a month and a million records by keys and window, and the alternatives."""
    load, stream = estimate.load, estimate.stream
    forest = f"{stream.forest.trees} x {stream.forest.sample_size} trees"
    title = (
        f"{stream.name}: {load.records_per_second:,.4g} records a second of {load.record_bytes:,.4g} bytes, "
        f"{count(load.shards, 'partition' if stream.is_of_kafka else 'shard')}, "
        f"{forest if stream.model == 'random_cut_forest' else stream.model}"
    )
    return Group(Text(title), _windows(estimate), *_notes(estimate))


def stream_details(estimate: StreamEstimate) -> RenderableType:
    """Render each service's share by window, then the prices and assumptions."""
    table = named_table(
        "Assumptions; change one with --assume NAME=VALUE", "Name", "Value", "Meaning"
    )
    for name, value, meaning in estimate.assume.explained():
        table.add_row(name, f"{value:,.6g}", meaning)
    return Group(
        _services(estimate),
        _items(estimate),
        Text(NOT_COUNTED),
        prices_table(estimate.prices),
        table,
    )


def _windows(estimate: StreamEstimate) -> Table:
    table = named_table("Dollars a month (a million records) by batching window", "Keys")
    for window in WINDOWS:
        table.add_column(f"{window:.0f} s", justify="right", no_wrap=True)
    for keys in sorted({bill.work.load.keys for bill in estimate.bills}):
        own = [bill for bill in estimate.bills if bill.work.load.keys == keys]
        table.add_row(f"{keys:,}", *map(_cell, own))
    return table


def _cell(bill: StreamBill) -> str:
    if bill.work.busy > 1:
        return "too slow"
    return f"{dollars(bill.total)} ({dollars(bill.per_million)})"


def _notes(estimate: StreamEstimate) -> list[Text]:
    hot = estimate.hot_key
    compared = "under" if hot.per_million < HOT_KEY_LIMIT else "not under"
    other = estimate.alternatives
    notes = [
        f"A hot key ({hot.work.load.records_per_second:,.0f} records a second, window of {hot.work.window:.0f} s): "
        f"{dollars(hot.per_million)} a million records, {compared} {dollars(HOT_KEY_LIMIT)}.",
        f"Managed Service for Apache Flink: at least {dollars(other['flink'])} a month. OpenSearch: at least "
        f"{dollars(other['opensearch'])}. "
        + (
            "The cluster itself is not counted."
            if estimate.stream.is_of_kafka
            else f"The stream itself: {dollars(other['kinesis'])}."
        ),
    ]
    if any(bill.work.busy > 1 for bill in estimate.bills):
        notes.append(
            "Too slow: a batch takes longer than the next one needs to arrive, so records wait. Use fewer or smaller "
            "trees, more shards or a longer window."
        )
    return [Text(note) for note in notes]


def _services(estimate: StreamEstimate) -> Table:
    keys = count(estimate.load.keys, "key")
    table = named_table(f"Dollars a month with {keys}, by service", "Window")
    bills = estimate.own_bills()
    services = [each for each in SERVICES if any(bill.of_service(each) for bill in bills)]
    for heading in (*services, "Batch", "Seconds"):
        table.add_column(heading, justify="right", no_wrap=True)
    for bill in bills:
        table.add_row(
            f"{bill.work.window:.0f} s",
            *(_share(bill, service) for service in services),
            number_in_words(bill.work.batch),
            f"{bill.work.seconds:.3f}",
        )
    return table


def _share(bill: StreamBill, service: str) -> str:
    spent = bill.of_service(service)
    return f"{spent:,.2f} ({spent / bill.total:.0%})" if bill.total else f"{spent:,.2f}"


def _items(estimate: StreamEstimate) -> Table:
    bill = estimate.hot_key
    table = named_table("The hot key, per month", "Service", "Item")
    for heading in ("Quantity", "Rate", "Dollars"):
        table.add_column(heading, justify="right")
    for line in bill.lines:
        cells = (quantity(line.quantity), line.price.rate, dollars(line.dollars))
        table.add_row(line.service, line.item, *cells)
    return table
