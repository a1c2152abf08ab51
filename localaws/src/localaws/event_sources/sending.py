"""The role of a mapping's function must be allowed to send to the mapping's on-failure destination."""

from collections.abc import Sequence

from localaws.event_sources.requests import refused
from localaws.iam.needs import Need
from localaws.iam.permissions import AccessDenied, Permissions, role_name

_SENDING = {"s3": "S3", "sns": "SNS", "sqs": "SQS"}


def check_sending(permissions: Permissions, destination: str | None, role: str) -> None:
    """Refuse a destination that the role may not send to."""
    if destination is None:
        return
    service = destination.split(":")[2] if destination.count(":") >= 5 else ""
    if service not in _SENDING:
        raise refused(
            f"The local AWS does not implement the on-failure destination {destination}: "
            "it has queues, topics and buckets"
        )
    for need in _needs(service, destination):
        try:
            permissions.demand(role_name(role), need)
        except AccessDenied:
            action = need.action.partition(":")[2]
            raise refused(
                f"The provided execution role does not have permissions to call {action} on {_SENDING[service]}"
            ) from None


def _needs(service: str, destination: str) -> Sequence[Need]:
    if service == "s3":
        objects = f"{destination}/aws/lambda/"
        return Need("s3:PutObject", objects), Need("s3:ListBucket", destination)
    action = "SendMessage" if service == "sqs" else "Publish"
    return (Need(f"{service}:{action}", destination),)
