"""Scores live detectors: what CloudWatch has of their metrics since the last run; a rule invokes it every few minutes."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cutwatch.live.live_function import live_function
from cutwatch.observability import Payload, observed_batch
from cutwatch.settings import LiveSettings


@observed_batch
def handler(event: Any, has_time: Callable[[], bool]) -> Payload:
    """Score the `bucket` of the event, or all buckets if a rule invokes it; return the counts."""
    settings = LiveSettings.from_env()
    function = live_function(settings, Path(__file__).parent)
    return function.invoke(event, datetime.now(UTC), has_time)
