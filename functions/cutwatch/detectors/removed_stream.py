"""A stream or table that `detectors.yaml` no longer declares, as far as the end of its incidents needs it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RemovedStream:
    """A stream with the defaults of an entry, since its own is gone."""

    name: str
    time_zone: str = "UTC"
    mails_per_hour: int = 10


@dataclass(frozen=True)
class RemovedTable(RemovedStream):
    """A table with the defaults of an entry, since its own is gone."""
