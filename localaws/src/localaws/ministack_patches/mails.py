"""SNS: every message to a topic is kept, as a person who subscribes by email would get it."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from localaws.clock import Clock
from localaws.embedded_ministack import service
from localaws.ministack_patches.patching import Patches

_MOST = 1_000


@dataclass(frozen=True)
class Mail:
    """A message to a topic. `to` are the email addresses that get it; `at` is ISO 8601, by the local AWS's clock."""

    at: str
    topic: str
    to: Sequence[str]
    subject: str
    text: str

    def to_payload(self) -> dict[str, Any]:
        """Return the mail as JSON values."""
        return asdict(self)


class Mails:
    """The newest messages to topics, oldest first; `listener` gets each one when it is sent."""

    def __init__(self, clock: Clock) -> None:
        self.listener: Callable[[Mail], None] = lambda _: None
        self._clock = clock
        self._kept: deque[Mail] = deque(maxlen=_MOST)
        self._fanout: Callable[..., None] = lambda *_, **__: None

    def patch(self, patches: Patches) -> None:
        """Keep what MiniStack's SNS delivers."""
        self._fanout = patches.replace(service("sns"), "_fanout", self.deliver)

    def all(self) -> list[Mail]:
        """Return the kept messages, oldest first."""
        return list(self._kept)

    def deliver(
        self,
        topic: str,
        message_id: str,
        message: str,
        subject: str,
        structure: str = "",
        attributes: Mapping[str, Any] | None = None,
        *more: Any,
        **others: Any,
    ) -> None:
        """Deliver a message as MiniStack does, and keep it."""
        self._fanout(topic, message_id, message, subject, structure, attributes, *more, **others)
        mail = Mail(
            at=f"{self._clock.now():%Y-%m-%dT%H:%M:%SZ}",
            topic=topic.rpartition(":")[2],
            to=_recipients(topic, message, attributes or {}),
            subject=subject,
            text=message,
        )
        self._kept.append(mail)
        self.listener(mail)


def _recipients(topic: str, message: str, attributes: Mapping[str, Any]) -> list[str]:
    """Return the email subscriptions that take the message: no person is here to confirm them."""
    sns = service("sns")
    found = sns._topic_by_arn_any_scope(topic) or {"subscriptions": []}
    return [
        each["endpoint"]
        for each in found["subscriptions"]
        if each.get("protocol") == "email" and sns._matches_filter_policy(each, attributes, message)
    ]
