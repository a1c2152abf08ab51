"""Records the failure of a batch for each of its detectors without a better outcome."""

from cutwatch.aws.clients import client
from cutwatch.errors import QuotaExceeded
from cutwatch.observability import Payload, count, logger, observed
from cutwatch.registry.outcome import Status, failure_of
from cutwatch.registry.registry import Registry
from cutwatch.registry.run import Run
from cutwatch.settings import RegistrySettings

_BETTER: tuple[Status, ...] = (
    "TRAINED",
    "PUBLISHED",
    "UP_TO_DATE",
    "NO_DATA",
    "TOO_LITTLE_HISTORY",
)


@observed
def handler(event: Payload) -> Payload:
    """`run`, `detectors`, `result` (`Error` and `Cause` as caught) -> the message."""
    settings = RegistrySettings.from_env()
    registry = Registry(client("dynamodb"), settings.table_name)
    run = Run.from_payload(event["run"])
    for detector in event["detectors"]:
        outcome = failure_of(detector["name"], event["result"])
        registry.outcomes.record(run.id, run.opened_at, outcome, keeps=_BETTER)
        if event["result"].get("Error") == QuotaExceeded.__name__:
            registry.quota_waits.end(outcome.detector)
        logger.error("recorded as failed", detector=outcome.detector, reason=outcome.message)
    count("DetectorsFailed", len(event["detectors"]))
    return {"message": failure_of("", event["result"]).message}
