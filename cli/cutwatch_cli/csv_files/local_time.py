"""Local times as epoch seconds, through the changes of daylight-saving time."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo


class LocalEpochs(NamedTuple):
    """Epoch seconds, and the number of times that lie in an hour which occurs twice."""

    epochs: list[float]
    repeated: int


class ClockChanges(ValueError):
    """A local time that the clock skips."""

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


def local_epochs(times: Sequence[datetime], zone: ZoneInfo) -> LocalEpochs:
    """Return the epochs of naive local times in the order of a file.

    Where the clock is set back, the order distinguishes the two hours: in an ascending file, a time that would lie before
    the previous row belongs to the second hour. Raises `ClockChanges` for a time that the clock skips.
    """
    descending = times[-1] < times[0]
    epochs: list[float] = []
    repeated = 0
    for position, naive in enumerate(times):
        first, second = (naive.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1))
        if first == second:
            epochs.append(first)
            continue
        if first > second:
            raise ClockChanges(position)
        repeated += 1
        earlier, later = first, second
        previous = epochs[-1] if epochs else None
        if descending:
            epochs.append(earlier if previous is not None and later >= previous else later)
        else:
            epochs.append(later if previous is not None and earlier <= previous else earlier)
    return LocalEpochs(epochs, repeated)
