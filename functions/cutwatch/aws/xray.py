"""X-Ray's SDK without its clients for sampling rules.

It makes two of them when it is imported, which takes a fifth of a function's start, and asks them for nothing inside
Lambda, which decides itself what is traced.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import botocore.session


class _NoClients:
    """Stands for a session of botocore."""

    def create_client(self, *_: object, **__: object) -> None:
        """Return no client."""


@contextmanager
def without_sampling_clients() -> Iterator[None]:
    """Import X-Ray's SDK in here for the first time."""
    sessions: Any = botocore.session
    real = sessions.get_session
    sessions.get_session = _NoClients
    try:
        yield
    finally:
        sessions.get_session = real
