"""Sources that are installed on demand: Kafka, with localaws[kafka]."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from localaws.clock import Clock
from localaws.event_sources.invocations import Invocations
from localaws.event_sources.mappings import EventSourceMappings
from localaws.event_sources.requests import refused
from localaws.iam.permissions import Permissions

if TYPE_CHECKING:
    from localaws.event_sources.kafka_mappings import KafkaMappings


def kafka_mappings(
    mappings: EventSourceMappings,
    invocations: Invocations,
    permissions: Permissions,
    client_of: Callable[[str, str], Any],
    clock: Clock,
) -> "KafkaMappings":
    """Return what opens Kafka mappings; refuse them where their packages are missing."""
    try:
        from localaws.event_sources.kafka_mappings import KafkaMappings  # noqa: PLC0415
        from localaws.event_sources.kafka_openings import KafkaOpenings  # noqa: PLC0415
    except ImportError:
        raise refused("Kafka mappings need localaws[kafka]") from None
    openings = KafkaOpenings(invocations.region, permissions, client_of)
    return KafkaMappings(mappings, openings, invocations, lambda: clock.now().timestamp())
