"""The events of our boto3 clients: see, answer or count their calls."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cutwatch.aws.clients import client


@contextmanager
def hook(aws_client: Any, event: str, handler: Any) -> Iterator[None]:
    """Let a handler see an event of botocore's before any other."""
    aws_client.meta.events.register_first(event, handler)
    try:
        yield
    finally:
        aws_client.meta.events.unregister(event, handler)


@contextmanager
def counted_calls(service: str) -> Iterator[list[str]]:
    """The operations that our client of a service is asked for, in order."""
    operations: list[str] = []

    def record(model: Any, **_: Any) -> None:
        operations.append(model.name)

    with hook(client(service), f"before-call.{service}", record):
        yield operations
