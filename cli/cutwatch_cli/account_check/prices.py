"""The price of each step of a check, in dollars, from the prices and assumptions of `cutwatch cost`."""

from collections.abc import Mapping
from math import fsum

from cutwatch_cli.account_check.throwaway import Throwaway
from cutwatch_cli.cost.assumptions import Assumptions
from cutwatch_cli.cost.fleet import Schedule, group
from cutwatch_cli.cost.prices import PRICES
from cutwatch_cli.cost.usage import usage

# Priced by the time that a stack stands, not by its runs.
_STANDING = ("alarm", "dashboard", "s3_gb_month")
_HOURS = 2  # longer than a check takes
_UPLOADED_OBJECTS = 40
_FACT_METRICS, _FACT_TRANSITIONS = 20, 10


def step_dollars(throwaway: Throwaway) -> Mapping[str, float]:
    """Return the dollars of each step by its name; free tiers are not deducted."""
    return {
        "deploy": _deployed(throwaway),
        "publish": _priced({"put_metric_data": 3, "custom_metric": 1}),
        "training": _run(throwaway, Schedule(transforms=0, trainings=1)),
        "transform": _run(throwaway, Schedule(transforms=1, trainings=0)),
        "facts": _priced({"get_metric_data": _FACT_METRICS, "state_transition": _FACT_TRANSITIONS}),
        "remove": 0.0,
    }


def _deployed(throwaway: Throwaway) -> float:
    """Alarms by the hour; the dashboard for a whole month, because CloudWatch's pages do not say how it is prorated."""
    assume = Assumptions()
    alarms = assume.stack_alarm_metrics + assume.alarms_by_detector * len(throwaway.detectors)
    share = _HOURS / assume.hours_per_month
    return _priced(
        {"alarm": alarms * share, "dashboard": assume.dashboards, "s3_put": _UPLOADED_OBJECTS}
    )


def _run(throwaway: Throwaway, schedule: Schedule) -> float:
    used = usage(group(throwaway.detectors), schedule, Assumptions())
    return _priced({name: used[name] for name in used if name not in _STANDING})


def _priced(used: Mapping[str, float]) -> float:
    return fsum(quantity * PRICES[name].each for name, quantity in used.items())
