"""SQS's ApproximateNumberOfMessagesVisible: every minute while a queue holds messages, and 0 for a while after."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from localaws.embedded_ministack import account_scope, service

_MINUTE = 60
# SQS reports a queue's metrics until it has been inactive for so long.
_ACTIVE_SECONDS = 6 * 3_600
_Report = Callable[[str, str, Mapping[str, str], Any, Any], None]


@dataclass
class _Reported:
    """The last minute that a queue was reported for, how deep it was, and the last time that it held messages."""

    minute: int
    active: float
    depth: float = 0.0


class QueueDepths:
    def __init__(self, report: _Report, region: str) -> None:
        self._report = report
        self._region = region
        self._lock = threading.Lock()
        self._reported: dict[str, _Reported] = {}

    def report(self, now: datetime) -> None:
        """Report each minute since the last reported one, the present one as it is now, and a minute again that got more messages.

        The maximum of a minute is therefore the same however often this is called within it.
        """
        minute = int(now.timestamp()) // _MINUTE * _MINUTE
        with self._lock, account_scope(self._region):
            sqs = service("sqs")
            for url, queue in list(sqs._queues.items()):
                if queue["messages"] or url in self._reported:
                    sqs._refresh_counts(queue)
                    self._report_queue(url, queue, minute, now.timestamp())

    def _report_queue(self, url: str, queue: Mapping[str, Any], minute: int, now: float) -> None:
        arrivals = sorted(
            message["visible_at"] for message in queue["messages"] if message["visible_at"] <= now
        )
        known = self._reported.get(url)
        if known is None or minute < known.minute:
            first = int(arrivals[0]) // _MINUTE * _MINUTE if arrivals else minute
            known = self._reported[url] = _Reported(first - _MINUTE, now)
        if arrivals:
            known.active = now
        last = min(minute, int(known.active) + _ACTIVE_SECONDS)
        times = np.arange(known.minute, last + 1, _MINUTE, dtype=np.int64)
        depths = np.searchsorted(arrivals, times + _MINUTE, side="left").astype(np.float64)
        if times.size and depths[0] <= known.depth:
            times, depths = times[1:], depths[1:]
        known.minute, known.depth = minute, len(arrivals)
        if times.size:
            name = url.rpartition("/")[2]
            self._report(
                "AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": name}, times, depths
            )
        if minute > last:
            del self._reported[url]
