"""Scores of rows by a SageMaker endpoint: in few requests, repeated after transient errors while there is time."""

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import sleep
from typing import Any, NamedTuple, Protocol

from cutwatch.aws.clients import read_body
from cutwatch.aws.limits import ENDPOINT_REQUEST_MAX_BYTES
from cutwatch.errors import TRANSIENT, MalformedScores

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 8.0


class Runtime(Protocol):
    """The client of SageMaker's runtime."""

    def invoke_endpoint(self, **request: Any) -> Mapping[str, Any]:
        """Send a request to an endpoint."""


class Scores(NamedTuple):
    """Scores of consecutive rows, and the variant, named after its model, that gave them."""

    variant: str
    scores: tuple[float, ...]


@dataclass(frozen=True)
class ScoringEndpoint:
    """An endpoint with a Random Cut Forest. `pause` waits for a number of seconds."""

    runtime: Runtime
    name: str
    pause: Callable[[float], None] = sleep

    def score(
        self, lines: Sequence[str], has_time: Callable[[], bool] = lambda: True
    ) -> Iterator[Scores]:
        """Yield the scores of rows in their order, request by request; rows are lines of CSV.

        Raises the last error once there is no time for another try, and `MalformedScores` if an answer has other than one
        score per row.
        """
        for chunk in _chunks(lines):
            yield self._patiently(chunk, has_time)

    def _patiently(self, lines: Sequence[str], has_time: Callable[[], bool]) -> Scores:
        longest = _FIRST_PAUSE
        while True:
            try:
                return self._once(lines)
            except TRANSIENT:
                if not has_time():
                    raise
            self.pause(random.uniform(0, longest))  # noqa: S311 - jitter, not a secret
            longest = min(2 * longest, _LONGEST_PAUSE)

    def _once(self, lines: Sequence[str]) -> Scores:
        answer = self.runtime.invoke_endpoint(
            EndpointName=self.name,
            ContentType="text/csv",
            Accept="application/json",
            Body="".join(lines).encode(),
        )
        scores = _scores(read_body("InvokeEndpoint", answer))
        if len(scores) != len(lines):
            raise MalformedScores(
                f"endpoint {self.name} answered {len(lines)} rows with {len(scores)} scores; "
                "scores are joined to rows by their order, so none of them can be used"
            )
        return Scores(answer["InvokedProductionVariant"], scores)


def csv_line(row: Sequence[float]) -> str:
    """Return a row as a line of CSV; each number is read back exactly."""
    return ",".join(map(repr, row)) + "\n"


def _scores(body: bytes) -> tuple[float, ...]:
    try:
        return tuple(float(each["score"]) for each in json.loads(body)["scores"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise MalformedScores(
            'the endpoint\'s answer is not {"scores": [{"score": number}, ...]}'
        ) from None


def _chunks(lines: Sequence[str]) -> Iterator[Sequence[str]]:
    start = size = 0
    for place, line in enumerate(lines):
        if size + len(line) > ENDPOINT_REQUEST_MAX_BYTES and place > start:
            yield lines[start:place]
            start, size = place, 0
        size += len(line)
    if lines:
        yield lines[start:]
