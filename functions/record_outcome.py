"""Records the failure of a batch for each of its detectors without a better outcome."""

from cutwatch.aws.clients import client
from cutwatch.observability import Payload, count, observed
from cutwatch.registry.outcome import failure_of
from cutwatch.registry.registry import Registry
from cutwatch.registry.run import Run
from cutwatch.runs.batch_failure import record_batch_failure
from cutwatch.settings import RegistrySettings


@observed
def handler(event: Payload) -> Payload:
    """`run`, `detectors`, `result` (`Error` and `Cause` as caught) -> the message."""
    settings = RegistrySettings.from_env()
    registry = Registry(client("dynamodb"), settings.table_name)
    run, caught = Run.from_payload(event["run"]), event["result"]
    names = [detector["name"] for detector in event["detectors"]]
    count("DetectorsFailed", record_batch_failure(registry, run, names, caught))
    return {"message": failure_of("", caught).message}
