"""A watched table's cost as tables."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cutwatch.wording import count
from cutwatch_cli.cost.table_bill import PARTS, TableBill
from cutwatch_cli.cost.table_estimate import NOT_COUNTED, TableEstimate
from cutwatch_cli.cost.tables import dollars, named_table, prices_table, quantity

_WAYS = {"instance": "Endpoint", "serverless": "Serverless endpoint", "forest": "Forests"}


def table_answer(estimate: TableEstimate) -> RenderableType:
    """Render dollars a month by changes a second and engine, and what the trainings cost."""
    load, forest = estimate.load, estimate.table.forest
    title = (
        f"{estimate.table.name}: {load.records_per_second:,.4g} changes a second, {estimate.items:,} items of "
        f"{load.record_bytes:,.4g} bytes, {count(load.keys, 'key')}, {forest.trees} x {forest.sample_size} trees"
    )
    return Group(Text(title), _rates(estimate), *map(Text, _notes(estimate)))


def table_details(estimate: TableEstimate) -> RenderableType:
    """Render the parts and items of the given rate, then the prices and assumptions."""
    assumed = named_table(
        "Assumptions; change one with --assume NAME=VALUE", "Name", "Value", "Meaning"
    )
    for name, value, meaning in estimate.assume.explained():
        assumed.add_row(name, f"{value:,.6g}", meaning)
    return Group(
        _parts(estimate),
        *(_items(each) for each in estimate.own_bills if each.has_room),
        Text(NOT_COUNTED),
        prices_table(estimate.prices),
        assumed,
    )


def _rates(estimate: TableEstimate) -> Table:
    table = named_table("Dollars a month by changes a second", "Changes/s")
    for heading in _WAYS.values():
        table.add_column(heading, justify="right", no_wrap=True)
    for bills in estimate.bills:
        rate = bills[0].work.load.records_per_second
        table.add_row(f"{rate:,.4g}", *map(_cell, bills))
    return table


def _cell(bill: TableBill) -> str:
    if not bill.has_room:
        return "too many"
    return "too slow" if bill.work.busy > 1 else dollars(bill.total)


def _notes(estimate: TableEstimate) -> list[str]:
    training, assume = estimate.training, estimate.assume
    trainings = assume.hours_per_month / assume.hours_between_trainings
    how = (
        "a Glue job that reads an export"
        if training.uses_glue
        else "a function that scans the table"
    )
    spent = estimate.own_bills[0].of_part("training")
    notes = [
        f"An endpoint includes {dollars(spent)} for {trainings:.3g} trainings, prepared by {how}. Forests need neither.",
    ]
    cells = [_cell(each) for bills in estimate.bills for each in bills]
    if "too many" in cells:
        notes.append(
            "Too many: a forest has room for 1,000,000 changes a day. Use more keys, or an endpoint."
        )
    if "too slow" in cells:
        notes.append(
            "Too slow: a batch takes longer than the next one needs to arrive, so changes wait. Use fewer or smaller "
            "trees, a longer window, or an endpoint."
        )
    return notes


def _parts(estimate: TableEstimate) -> Table:
    rate = estimate.load.records_per_second
    table = named_table(f"Dollars a month with {rate:,.4g} changes a second, by part", "Engine")
    for heading in (*(part.capitalize() for part in PARTS), "Batch", "Seconds"):
        table.add_column(heading, justify="right", no_wrap=True)
    for bill in (each for each in estimate.own_bills if each.has_room):
        spent = (dollars(bill.of_part(part)) for part in PARTS)
        work = bill.work
        table.add_row(_WAYS[bill.way], *spent, f"{work.batch:,.4g}", f"{work.seconds:.3f}")
    return table


def _items(bill: TableBill) -> Table:
    table = named_table(f"{_WAYS[bill.way]}, per month", "Part", "Service", "Item")
    for heading in ("Quantity", "Rate", "Dollars"):
        table.add_column(heading, justify="right")
    for part, lines in bill.parts.items():
        for line in lines:
            cells = (quantity(line.quantity), line.price.rate, dollars(line.dollars))
            table.add_row(part, line.service, line.item, *cells)
    return table
