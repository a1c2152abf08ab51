"""A cost estimate as tables: the bill, the comparison, prices and assumptions."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cutwatch.wording import count
from cutwatch_cli.cost.bill import Bill
from cutwatch_cli.cost.estimate import NOT_COUNTED, Estimate
from cutwatch_cli.cost.prices import AS_OF, REGION, Prices


def dollars(amount: float) -> str:
    """Format dollars in cents, or amounts below ten cents with three significant digits."""
    return f"${amount:,.2f}" if amount >= 0.1 or amount == 0 else f"${amount:.3g}"


def answer(estimate: Estimate) -> RenderableType:
    """Render the month's cost and its comparison in one line, and a line per warning."""
    bill, schedule = estimate.bill, estimate.schedule
    each = f" ({dollars(bill.per_detector)} each)" if bill.detectors > 1 else ""
    line = (
        f"{dollars(bill.total)} a month for {count(bill.detectors, 'detector')}{each}, with "
        f"{_amount(schedule.transforms, 'transform')} and {_amount(schedule.trainings, 'training')}; "
        f"CloudWatch anomaly detection alarms: {dollars(bill.own_alarms)}."
    )
    return Group(Text(line), *(Text(each, style="yellow") for each in estimate.warnings))


def details(estimate: Estimate) -> RenderableType:
    """Render the bill, then the prices and assumptions behind it."""
    return Group(
        _bill_table(estimate.bill),
        _totals(estimate.bill),
        Text(NOT_COUNTED),
        prices_table(estimate.prices),
        _assumptions_table(estimate),
    )


def _bill_table(bill: Bill) -> Table:
    table = _table(f"{count(bill.detectors, 'detector')}, per month")
    for heading in ("Service", "Item"):
        table.add_column(heading, no_wrap=True)
    for heading in ("Quantity", "Rate", "Dollars"):
        table.add_column(heading, justify="right")
    before = ""
    for line in bill.lines:
        service = line.service if line.service != before else ""
        before = line.service
        table.add_row(
            service, line.item, quantity(line.quantity), line.price.rate, dollars(line.dollars)
        )
    return table


def _totals(bill: Bill) -> Table:
    table = _table("")
    table.add_column("", no_wrap=True)
    for heading in ("All", "Each"):
        table.add_column(heading, justify="right")
    for name, amount in (
        ("Cutwatch", bill.total),
        ("  if custom metrics are billed for the whole month", bill.unprorated),
        ("CloudWatch anomaly detection alarms", bill.own_alarms),
    ):
        table.add_row(name, dollars(amount), dollars(amount / bill.detectors))
    return table


def prices_table(prices: Prices) -> Table:
    """Render prices with their sources."""
    title = f"Prices, {REGION}, {AS_OF}; change one with --price NAME=DOLLARS"
    table = named_table(title, "Name", "Rate", "Source")
    for name, price in prices.items():
        table.add_row(name, price.rate, price.certainty)
    return table


def _assumptions_table(estimate: Estimate) -> Table:
    table = _table("Assumptions; change one with --assume NAME=VALUE")
    table.add_column("Name", no_wrap=True)
    table.add_column("Value", justify="right")
    table.add_column("Meaning")
    schedule = estimate.schedule
    table.add_row("transforms", f"{schedule.transforms:,.4g}", "per month")
    table.add_row("trainings", f"{schedule.trainings:,.4g}", "per month")
    for name, value, meaning in estimate.assume.explained():
        table.add_row(name, f"{value:,.6g}", meaning)
    return table


def named_table(title: str, *columns: str) -> Table:
    """Return an empty table with a title above it."""
    table = _table(title)
    for heading in columns:
        table.add_column(heading)
    return table


def _table(title: str) -> Table:
    return Table(title=f"\n{title}" if title else None, title_justify="left", box=None)


def quantity(number: float) -> str:
    """Format a quantity: `1,234` or `0.0512`."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def _amount(number: float, noun: str) -> str:
    return f"{number:,.3g} {noun}{'s' * (number != 1)}"
