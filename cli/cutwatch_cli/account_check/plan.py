"""The plan of a check: its steps, and what each costs at most."""

from collections.abc import Iterator, Mapping

from cutwatch_cli.account_check.prices import step_dollars
from cutwatch_cli.account_check.throwaway import Throwaway

_A_CENT = 0.01
STEPS: Mapping[str, str] = {
    "deploy": "build the application and deploy the stack",
    "publish": "publish a day of a generated metric",
    "training": "train with each engine",
    "transform": "publish a spike, score it and publish anomalies",
    "facts": "compare the account with docs/reality.md",
    "remove": "remove everything",
}


def plan(throwaway: Throwaway) -> Iterator[str]:
    """Describe every step with its dollars, and their sum."""
    dollars = step_dollars(throwaway)
    for name, what in STEPS.items():
        yield f"{name:<10} {_amount(dollars[name])}  {what}"
    yield f"{'together':<10} {_amount(sum(dollars.values()))}  at most, by the list prices of cutwatch cost"


def announcements(throwaway: Throwaway) -> Mapping[str, str]:
    """Return what to say when each step begins."""
    return {
        step: f"{step}: {STEPS[step]} (at most {_amount(dollars).strip()})"
        for step, dollars in step_dollars(throwaway).items()
    }


def _amount(dollars: float) -> str:
    """Format dollars in a column; amounts below a cent with four decimals."""
    return f"${dollars:7.2f}" if dollars >= _A_CENT or not dollars else f"${dollars:7.4f}"
