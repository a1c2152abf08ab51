"""The role of a mapping's function must be allowed to send to the mapping's on-failure destination."""

from localaws.event_sources.requests import refused
from localaws.iam.needs import Need
from localaws.iam.permissions import AccessDenied, Permissions, role_name

_SENDING = {"sqs": ("SendMessage", "SQS"), "sns": ("Publish", "SNS")}


def check_sending(permissions: Permissions, destination: str | None, role: str) -> None:
    """Refuse a destination that the role may not send to."""
    if destination is None:
        return
    service = destination.split(":")[2] if destination.count(":") >= 5 else ""
    if service not in _SENDING:
        raise refused(
            f"The local AWS does not implement the on-failure destination {destination}: "
            "it has queues and topics"
        )
    action, called = _SENDING[service]
    try:
        permissions.demand(role_name(role), Need(f"{service}:{action}", destination))
    except AccessDenied:
        raise refused(
            f"The provided execution role does not have permissions to call {action} on {called}"
        ) from None
