"""Retention of runs, outcomes and events in the registry."""

from datetime import datetime, timedelta

_RUN_RETENTION = timedelta(days=400)


def expires_at(now: datetime) -> int:
    """Return the epoch second from which DynamoDB may delete an item written now."""
    return int((now + _RUN_RETENTION).timestamp())
