"""A cost estimate: its inputs, the bill, and warnings."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from cutwatch.wording import span_in_words
from cutwatch_cli.cost.assumptions import Assumptions
from cutwatch_cli.cost.bill import Bill, bill
from cutwatch_cli.cost.fleet import KINDS, Detectors, Schedule
from cutwatch_cli.cost.prices import AS_OF, REGION, Prices
from cutwatch_cli.cost.run_work import RunWork

NOT_COUNTED = "Not counted: free tiers, taxes, traces, emails, KMS requests, job volumes, CloudTrail data events, retries."


@dataclass(frozen=True)
class Estimate:
    """A cost estimate with everything it depends on."""

    groups: Sequence[Detectors]
    schedule: Schedule
    prices: Prices
    assume: Assumptions

    @property
    def bill(self) -> Bill:
        """One month's bill."""
        return bill(self.groups, self.schedule, self.prices, self.assume)

    @property
    def warnings(self) -> list[str]:
        """Runs that would still be busy when the next one starts."""
        month = timedelta(hours=self.assume.hours_per_month)
        return [
            f"A {kind} of {group.count:,} {group.engine} detectors takes about "
            f"{span_in_words(timedelta(minutes=minutes))}, and the next one starts after "
            f"{span_in_words(month / self.schedule.runs(kind))}: increase the concurrency."
            for kind in KINDS
            if self.schedule.runs(kind)
            for group in self.groups
            for minutes in [RunWork(group, kind, self.schedule, self.assume).minutes]
            if timedelta(minutes=minutes) > month / self.schedule.runs(kind)
        ]

    def to_payload(self) -> dict[str, Any]:
        """Return all numbers, unrounded, in dollars, as JSON values."""
        bill = self.bill
        return {
            "detectors": bill.detectors,
            "schedule": asdict(self.schedule),
            "dollars_a_month": {
                "total": bill.total,
                "per_detector": bill.per_detector,
                "with_custom_metrics_for_the_whole_month": bill.unprorated,
                "cloudwatch_anomaly_alarms": bill.own_alarms,
            },
            "items": [
                {
                    "service": line.service,
                    "item": line.item,
                    "quantity": line.quantity,
                    "rate": line.price.rate,
                    "dollars": line.dollars,
                }
                for line in bill.lines
            ],
            "warnings": self.warnings,
            "prices": {
                "as_of": AS_OF,
                "region": REGION,
                **{name: asdict(price) for name, price in self.prices.items()},
            },
            "assumptions": asdict(self.assume),
        }
