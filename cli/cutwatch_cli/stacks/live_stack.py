"""The stack of live detection that joins a base stack."""

from cutwatch_cli.stacks.account import Account
from cutwatch_cli.stacks.joined_stacks import JoinedStack, joined_stacks

# No other stack has all of them.
LIVE_OUTPUTS = frozenset(
    ("BaseStack", "FunctionsLogGroupName", "LiveMinutes", "RuleName", "ScoreMetricsFunction")
)


def live_stack(account: Account, base: str) -> JoinedStack | None:
    """Return the stack of live detection of a base stack; None if there is none."""
    found = joined_stacks(account, base, LIVE_OUTPUTS, JoinedStack)
    return min(found, key=lambda each: each.name, default=None)
