"""Moments in time: always aware, always UTC, written as `2026-11-01T00:00:00Z`."""

from datetime import UTC, datetime, timedelta

from cutwatch.errors import InvalidInput


def parse_timestamp(text: str, field: str = "time") -> datetime:
    """The moment an ISO 8601 text names; a text without a zone is UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise InvalidInput(
            f"{field} is {text!r}; expected ISO 8601 such as 2026-11-01T00:00:00Z"
        ) from None
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise InvalidInput(f"{field} is {text!r}, beyond the years that a date can have") from None


def format_timestamp(moment: datetime) -> str:
    """ISO 8601 to the second, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def floor_to_period(moment: datetime, period_seconds: int) -> datetime:
    """The last multiple of the period (counted from the epoch) at or before the moment."""
    seconds = int(moment.timestamp())
    return datetime.fromtimestamp(seconds - seconds % period_seconds, UTC)


def ceil_to_period(moment: datetime, period_seconds: int) -> datetime:
    """The first multiple of the period at or after the moment."""
    floor = floor_to_period(moment, period_seconds)
    return floor if floor == moment else floor + timedelta(seconds=period_seconds)
