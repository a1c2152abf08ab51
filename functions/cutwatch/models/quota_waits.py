"""Recording that a job waits for a quota, so that operators see it before the retries are over."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

from cutwatch.errors import AwsError, QuotaExceeded
from cutwatch.registry.quota_wait_store import QuotaWaitStore
from cutwatch.registry.quota_waits import QuotaWait
from cutwatch.registry.run import Run


@contextmanager
def recorded_wait(
    waits: QuotaWaitStore,
    run: Run,
    detector: str,
    instance_type: str,
    since: datetime,
    *,
    retried: bool,
) -> Iterator[None]:
    """Record a wait if a quota refuses the block; end the wait after any other result of a retry.

    `since` is when the state machine first tried. A wait that cannot be recorded does not hide the quota's refusal.
    """
    waiting = False
    try:
        yield
    except QuotaExceeded as error:
        waiting = True
        with suppress(AwsError):
            waits.record(QuotaWait(detector, run.id, instance_type, since, str(error)))
        raise
    finally:
        if retried and not waiting:
            waits.end(detector)
