"""The options of `cutwatch cost`, and the estimate they describe."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from cutwatch.detectors.detector import Engine
from cutwatch.detectors.detectors_file import load_configuration
from cutwatch_cli.cost.assumptions import NAMES, Assumptions
from cutwatch_cli.cost.estimate import Estimate
from cutwatch_cli.cost.fleet import ENGINES, Schedule, group
from cutwatch_cli.cost.live import LiveCost, live_costs
from cutwatch_cli.cost.named_numbers import NumberMistake, parse_numbers
from cutwatch_cli.cost.prices import PRICES, with_prices

HOURS_BETWEEN: Mapping[str, int] = {"weekly": 168, "daily": 24, "hourly": 1}
# Divisors, and limits of concurrency.
_POSITIVE = {
    "hours_per_month",
    "poll_seconds",
    "sagemaker_concurrency",
    "lambda_concurrency",
    "batch_size",
    "batch_bytes",
}


@dataclass(frozen=True)
class CostRequest:
    """Options as typed; `prices` and `assumptions` are `NAME=VALUE`s."""

    detectors: Path
    transform_schedule: str = "weekly"
    transforms_per_month: float | None = None
    trainings_per_month: float = 1
    engine: str | None = None
    count: int = 1
    prices: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()

    def estimate(self) -> Estimate:
        """Compute the estimate. Raises `InvalidDetectors` or `NumberMistake`, with one line per error."""
        assume = _assumptions(self.assumptions)
        prices = with_prices(parse_numbers("--price", self.prices, PRICES))
        schedule = self._schedule(assume)
        engine = self._engine()
        return Estimate(
            group(load_configuration(self.detectors).detectors, self.count, engine),
            schedule,
            prices,
            assume,
        )

    def live_costs(self) -> list[LiveCost]:
        """Compute the cost of live detection at each interval. Raises like `estimate`."""
        estimate = self.estimate()
        detectors = load_configuration(self.detectors).detectors
        return live_costs(detectors, self.count, estimate.prices, estimate.assume)

    def _schedule(self, assume: Assumptions) -> Schedule:
        _check("--transform-schedule", self.transform_schedule, HOURS_BETWEEN)
        transforms = assume.hours_per_month / HOURS_BETWEEN[self.transform_schedule]
        if self.transforms_per_month is not None:
            transforms = self.transforms_per_month
        return Schedule(transforms, self.trainings_per_month)

    def _engine(self) -> Engine | None:
        if self.engine is not None:
            _check("--engine", self.engine, ENGINES)
        return cast("Engine | None", self.engine)


def _assumptions(given: tuple[str, ...]) -> Assumptions:
    return Assumptions().with_values(parse_numbers("--assume", given, NAMES, _POSITIVE))


def _check(option: str, given: str, allowed: Mapping[str, int] | tuple[Engine, ...]) -> None:
    if given not in allowed:
        raise NumberMistake(f"{option} {given}: expected one of {', '.join(allowed)}")
