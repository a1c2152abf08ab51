"""Say once why records cannot be read, in place of librdkafka's line for every attempt to connect."""

import logging
import re

from confluent_kafka import KafkaError

# A client without a logger writes to standard error.
client_log = logging.getLogger(f"{__name__}.client")
client_log.addFilter(lambda record: not record.getMessage().startswith("FAIL "))

_TIME_OF_ATTEMPT = re.compile(r" \(after \d+ms in state \w+\)$")
_NO_REASON = (
    "they end every connection without a reason; do they expect TLS, or another authentication?"
)
# Their public names begin with an underscore.
_NO_BROKER, _DISCONNECTED = KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT  # noqa: SLF001
_LASTING = frozenset(
    {
        KafkaError._AUTHENTICATION,  # noqa: SLF001
        KafkaError._RESOLVE,  # noqa: SLF001
        KafkaError._SSL,  # noqa: SLF001
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
    }
)


class Problem:
    """`text` is what somebody has to mend, empty if nothing is known."""

    def __init__(self) -> None:
        self.text = ""
        self._disconnected = ""

    def note(self, error: KafkaError) -> None:
        """Keep an error that lasts; librdkafka goes on by itself with all others.

        That no broker is left says less than why, and comes before or after it.
        """
        text = _TIME_OF_ATTEMPT.sub("", error.str())
        if error.code() == _DISCONNECTED:
            self._disconnected = text
        elif error.code() in _LASTING:
            self.text = text
        elif error.code() == _NO_BROKER:
            self.text = self.text or f"{text}: {self._disconnected or _NO_REASON}"
