"""Publishes the ages of models and transforms; a rule invokes it once a day."""

from cutwatch.aws.clients import client
from cutwatch.aws.cloudwatch import publish
from cutwatch.observability import Payload, observed
from cutwatch.publishing.freshness import Overdue, freshness_datums
from cutwatch.registry.registry import Registry
from cutwatch.settings import CheckFreshnessSettings
from cutwatch.timestamps import parse_timestamp


@observed
def handler(event: Payload) -> Payload:
    """Take the scheduled event with its `time`; return the number of detectors."""
    settings = CheckFreshnessSettings.from_env()
    registry = Registry(client("dynamodb"), settings.table_name)
    now = parse_timestamp(event["time"])
    records = registry.detectors.all()
    last_transform = registry.runs.newest_closed("transform", now)
    overdue = Overdue(settings.model_overdue_days, settings.transform_overdue_hours)
    datums = freshness_datums(records, last_transform, overdue, now)
    publish(client("cloudwatch"), settings.anomaly_namespace, datums)
    return {"detectors": len(records)}
