"""Records the failure of a batch for each of its detectors without a better outcome."""

from cutwatch.aws.clients import client
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
    failures = [failure_of(detector["name"], event["result"]) for detector in event["detectors"]]
    recorded = [
        failure
        for failure in failures
        if registry.outcomes.record(run.id, run.opened_at, failure, keeps=_BETTER)
    ]
    for failure in recorded:
        logger.error("recorded as failed", detector=failure.detector, reason=failure.message)
    count("DetectorsFailed", len(recorded))
    return {"message": failure_of("", event["result"]).message}
