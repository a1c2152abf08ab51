"""Destinations of a stream's or a table's outbox, as the settings of its functions name them."""

from datetime import UTC, datetime
from functools import cache

from cutwatch.aws.clients import client
from cutwatch.aws.dynamodb import Table
from cutwatch.delivery.incident_store import IncidentStore
from cutwatch.delivery.incidents import IncidentNotifier
from cutwatch.delivery.outbox_delivery import OutboxDelivery
from cutwatch.delivery.queues import QueueTarget, RowTarget, StreamTarget
from cutwatch.detectors.watched_table import RecordSource
from cutwatch.notifications.detector_lines import StackPlace
from cutwatch.registry.silence_store import SilenceStore
from cutwatch.settings import DestinationSettings
from cutwatch.streams.postprocessing import Postprocessor


def outbox_delivery(
    settings: DestinationSettings,
    source: RecordSource,
    target: RowTarget | None,
    postprocessor: Postprocessor | None = None,
    results_url: str = "",
) -> OutboxDelivery:
    """Return the delivery of the outboxes of a stream or table."""
    table = Table(client("dynamodb"), settings.table_name)
    sns = client("sns")
    notifier = IncidentNotifier(
        source,
        StackPlace(settings.base_stack, settings.aws_region, settings.anomaly_namespace),
        client("events"),
        sns,
        settings.topic_arn,
        IncidentStore(table),
        SilenceStore(table),
        settings.notification_severity,
        postprocessor,
    )
    return OutboxDelivery(
        source.name,
        notifier,
        sns,
        settings.operations_topic_arn,
        client("sqs"),
        settings.rejected_records_url,
        target,
        lambda: datetime.now(UTC),
        results_url,
    )


def row_target(arn: str) -> RowTarget | None:
    """Return the target that an ARN names, a Kinesis stream or a queue; None without one."""
    if not arn:
        return None
    if arn.split(":")[2] == "kinesis":
        return StreamTarget(client("kinesis"), arn)
    _, _, _, _, account, name = arn.split(":")
    sqs = client("sqs")

    @cache
    def url() -> str:
        found = sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)
        return str(found["QueueUrl"])

    return QueueTarget(sqs, url)
