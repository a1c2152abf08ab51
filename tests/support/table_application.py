"""A watched table of rides on the local AWS, and a watch over the cutoffs of the variants in service."""

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from cutwatch_cli.tables.application import Item, WatchedApplication, watched_application
from localaws import LocalAws
from localaws.calls import Call

DECLARATION = {"name": "taxi", "source": "rides", "values": ["ridecount"]}
ENDPOINT_SECONDS = 300
FORESTS = {
    **DECLARATION,
    "engine": "forest",
    "forest": {"trees": 20, "sample_size": 64},
    "minimum_deviation": {"absolute": 500},
}
# What most tests want: short bakes.
PARAMETERS = {"BakeSeconds": "60"}


def items(count: int, seed: int = 1) -> list[Item]:
    chooser = random.Random(seed)
    return [
        {"id": {"S": f"{seed}-{n}"}, "ridecount": {"N": f"{chooser.gauss(1_000, 50):.2f}"}}
        for n in range(count)
    ]


@dataclass
class CutoffWatch:
    """Looks after every API call whether each variant in service has a stored cutoff; notes what has none."""

    aws: LocalAws
    stored: set[str] = field(default_factory=set)
    without: list[tuple[str, str]] = field(default_factory=list)
    looks: int = 0

    def __post_init__(self) -> None:
        self._record = self.aws.calls.record
        self.aws.calls.record = self.record  # type: ignore[method-assign]

    def record(self, call: Call) -> None:
        self._record(call)
        # A call whose answer was lost has done its work.
        if call.service == "dynamodb" and call.error_code in (None, "AnswerLost"):
            self._note(call.operation, call.parameters)
        self.looks += 1
        for variants in self.aws.variants_in_service().values():
            self.without += [(call.operation, each) for each in variants if each not in self.stored]

    def _note(self, operation: str, parameters: Mapping[str, Any]) -> None:
        key = parameters.get("Item", {}) or parameters.get("Key", {})
        _, _, variant = key.get("sk", {}).get("S", "").partition("VARIANT#")
        if variant and operation == "PutItem":
            self.stored.add(variant)
        if variant and operation == "DeleteItem":
            self.stored.discard(variant)


@contextmanager
def rides(
    declaration: Mapping[str, Any] = DECLARATION,
    parameters: Mapping[str, str] = PARAMETERS,
    count: int = 1_200,
    stack_name: str = "",
) -> Iterator[tuple[WatchedApplication, CutoffWatch]]:
    """Deploy the table with items, and watch over its endpoint."""
    with LocalAws() as aws:
        aws.sagemaker.endpoint_seconds = ENDPOINT_SECONDS
        with watched_application(aws, declaration, parameters, stack_name) as application:
            watch = CutoffWatch(aws)
            application.put(items(count))
            yield application, watch
