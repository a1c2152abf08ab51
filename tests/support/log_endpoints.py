"""An endpoint that scores a log's rows, for tests: its models, and a client of SageMaker's runtime that counts requests."""

import io
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from cutwatch.detectors.stream import Stream
from cutwatch.endpoints.invocation import csv_line
from cutwatch.streams.endpoint_training import training_by_endpoint
from cutwatch.streams.log_training import Training, training_rows
from tests.support.kafka_logs import STREAM
from tests.support.log_events import ordinary_events

ENDPOINT_STREAM: Stream = replace(STREAM, model="random_cut_forest_endpoint")


def score_of(line: str) -> float:
    """Return what the endpoint says of a row: its length, for want of a forest."""
    return math.hypot(*map(float, line.split(",")))


def an_endpoint_training(
    variant: str, stream: Stream = ENDPOINT_STREAM, count: int = 1_500, seed: int = 1
) -> Training:
    """Return a training of ordinary records by the model of a variant."""
    given = training_rows(stream, ordinary_events(count, seed))
    scores = np.array([score_of(csv_line(row)) for row in given.rows.values.tolist()])
    return training_by_endpoint(stream, given, variant, scores)


@dataclass
class EndpointRuntime:
    """Client of the runtime: `variants` answer in turn, the last one for good; `failures` are raised first."""

    variants: list[str] = field(default_factory=lambda: ["a"])
    failures: list[Exception] = field(default_factory=list)
    requests: list[list[str]] = field(default_factory=list)
    asked: Callable[[], None] = lambda: None

    def invoke_endpoint(self, **request: Any) -> Mapping[str, Any]:
        lines = request["Body"].decode().splitlines()
        self.requests.append(lines)
        self.asked()
        if self.failures:
            raise self.failures.pop(0)
        variant = self.variants.pop(0) if len(self.variants) > 1 else self.variants[0]
        body = json.dumps({"scores": [{"score": score_of(line)} for line in lines]}).encode()
        return {"InvokedProductionVariant": variant, "Body": io.BytesIO(body)}
