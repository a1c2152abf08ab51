"""Settings of functions that deliver for a stream or a table, in an account on moto."""

from typing import Any

from cutwatch.settings import StreamSettings
from cutwatch.tables.settings import TableSettings
from tests.support.account import Account
from tests.support.stack import REGION


def stream_settings(account: Account, name: str, detectors_file: str) -> StreamSettings:
    return StreamSettings(
        **_destinations(account),
        stream_name=name,
        stream_arn="sensors",
        stack_name="cutwatch-sensors",
        detectors_file=detectors_file,
    )


def table_settings(account: Account, name: str, detectors_file: str) -> TableSettings:
    return TableSettings(
        **_destinations(account),
        watched_table=name,
        source_table_arn="rides",
        stack_name="cutwatch-taxi",
        detectors_file=detectors_file,
    )


def _destinations(account: Account) -> dict[str, Any]:
    return {
        "base_stack": "cutwatch",
        "table_name": account.table,
        "bucket_name": account.bucket,
        "anomaly_namespace": "Cutwatch",
        "topic_arn": account.stack.arn("NotificationTopic"),
        "operations_topic_arn": account.stack.arn("OperationsTopic"),
        "rejected_records_url": "unused",
        "notification_severity": "low",
        "aws_region": REGION,
    }
