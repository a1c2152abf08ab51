"""Records how a detector's part of a run ended when no model was registered and nothing was published."""

from cutwatch.aws import client
from cutwatch.observability import Payload, count, observed
from cutwatch.outcomes import outcome_of
from cutwatch.registry import Registry
from cutwatch.runs import Run
from cutwatch.settings import RegistrySettings


@observed
def handler(event: Payload) -> Payload:
    """`run`, `detector`, `result` (an outcome, or `Error` and `Cause` as caught) -> status and message."""
    settings = RegistrySettings.from_env()
    outcome = outcome_of(event["detector"]["name"], event["result"])
    count("DetectorsFailed", int(outcome.status == "FAILED"))
    run = Run.from_payload(event["run"])
    Registry(client("dynamodb"), settings.table_name).record_outcome(run.id, run.moment, outcome)
    return {"status": outcome.status, "message": outcome.message}
