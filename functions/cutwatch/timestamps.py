"""Timestamps: always aware, always UTC, written as `2026-11-01T00:00:00Z`."""

from datetime import UTC, datetime, timedelta

from cutwatch.errors import InvalidInput


def parse_timestamp(text: str, field: str = "time") -> datetime:
    """Parse an ISO 8601 timestamp; without a zone it is UTC. Raises `InvalidInput`."""
    try:
        time = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise InvalidInput(
            f"{field} is {text!r}; expected ISO 8601 such as 2026-11-01T00:00:00Z"
        ) from None
    try:
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except OverflowError:
        raise InvalidInput(f"{field} is {text!r}, outside the range of years of a date") from None


def format_timestamp(time: datetime) -> str:
    """Format a time as ISO 8601 to the second, in UTC."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def floor_to_period(time: datetime, period_seconds: int) -> datetime:
    """Return the last multiple of the period (counted from the epoch) at or before the time."""
    seconds = int(time.timestamp())
    return datetime.fromtimestamp(seconds - seconds % period_seconds, UTC)


def ceil_to_period(time: datetime, period_seconds: int) -> datetime:
    """Return the first multiple of the period at or after the time."""
    floor = floor_to_period(time, period_seconds)
    return floor if floor == time else floor + timedelta(seconds=period_seconds)
