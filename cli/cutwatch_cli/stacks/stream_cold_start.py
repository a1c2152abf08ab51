"""The forest of a detector that the keys of a stream should begin with, and why they do not."""

from importlib import import_module

from cutwatch.aws.s3 import Bucket
from cutwatch.errors import MalformedState
from cutwatch_cli.stacks.stream_stacks import StreamStack
from cutwatch_cli.stacks.stream_states import StreamState


def missing_cold_start(bucket: Bucket, stack: StreamStack, state: StreamState) -> str:
    """Return why keys begin without the forest of the declared detector; empty if they begin with it, or none is declared."""
    detector = stack.parameters.get("ColdStartDetector")
    if not detector or not state.configuration:
        return ""
    # The library of forests takes long to import, and few streams need it.
    cold_start = import_module("cutwatch.streams.cold_start")
    key = f"{cold_start.ROOT}{stack.stream}/{state.configuration}"
    try:
        copy = cold_start.copy_at(bucket, key)
    except MalformedState as error:
        return str(error)
    return copy.reason if copy else ""
