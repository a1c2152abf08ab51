"""Every call of a Kafka stream's functions with every fault: training, scoring, the sweep and the report end as undisturbed.

So does the scoring by an endpoint, which is a scenario of its own.

`python -m tests.faults.kafka_matrix` judges all cases and prints the matrix; an argument chooses those whose names hold it.
"""

import json
import logging
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stdout, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal
from unittest.mock import patch

import botocore.client
import time_machine
from botocore.exceptions import ClientError, ReadTimeoutError

from cutwatch.anomaly_models.fitted_model import FittedModel
from cutwatch.aws.clients import client
from cutwatch.aws.dynamodb import Table
from cutwatch.delivery.incident_store import IncidentStore
from cutwatch.observability import logger
from cutwatch.streams.model_register import ModelRegister
from cutwatch.streams.state_store import StateStore
from cutwatch.timestamps import parse_timestamp
from tests.faults.matrix import Verdict, shown
from tests.support.kafka_logs import kafka_event, log_line, raw_records
from tests.support.kafka_stack import (
    DETECTORS,
    DETECTORS_OF_ENDPOINT,
    KafkaStack,
    opened_kafka_stack,
)
from tests.support.log_endpoints import EndpointRuntime, an_endpoint_training
from tests.support.log_events import MONDAY, an_event, ordinary_events

Kind = Literal["killed before", "killed after", "throttled", "answer lost"]
KINDS: tuple[Kind, ...] = ("killed before", "killed after", "throttled", "answer lost")
HOUR = MONDAY + 7_200
# How often Lambda, EventBridge and the mapping invoke again, together more often than one fault needs.
_ATTEMPTS = 5
# Publishing has no idempotency: what was sent may be sent once more where the answer did not arrive.
_MAY_REPEAT = ("Publish", "PutEvents")

Call = tuple[str, str, int]


class Killed(BaseException):
    """The execution environment ends."""


@dataclass(frozen=True)
class KafkaCase:
    """One fault of the nth call of an operation by a function; with `by_endpoint`, an endpoint scores."""

    call: Call
    kind: Kind
    by_endpoint: bool = False

    @property
    def name(self) -> str:
        function, operation, number = self.call
        scenario = "kafka by endpoint" if self.by_endpoint else "kafka"
        return f"{scenario}: {function} {operation} #{number + 1} [{self.kind}]"


@dataclass
class Wire:
    """Every call of a run; a case's call meets its fault, once."""

    case: KafkaCase | None = None
    function: str = ""
    calls: list[Call] = field(default_factory=list)
    mails: Counter[str] = field(default_factory=Counter)
    endpoint: EndpointRuntime = field(default_factory=EndpointRuntime)
    _seen: Counter[tuple[str, str]] = field(default_factory=Counter)

    @contextmanager
    def open(self) -> Iterator[None]:
        base: Any = botocore.client.BaseClient
        original = base._make_api_call

        def call(this: Any, operation: str, parameters: Any) -> Any:
            if operation == "InvokeEndpoint":
                return self._call(operation, parameters, lambda: self.endpoint.invoke_endpoint(**parameters))  # fmt: skip
            return self._call(operation, parameters, lambda: original(this, operation, parameters))

        with patch.object(base, "_make_api_call", call):
            yield

    def _call(self, operation: str, parameters: Any, perform: Callable[[], Any]) -> Any:
        if not self.function:
            return perform()
        fault = self._fault(operation)
        if fault in _BEFORE:
            raise _BEFORE[fault](operation)
        answer = perform()
        if operation == "Publish":
            self.mails[parameters["Subject"]] += 1
        if fault in _AFTER:
            raise _AFTER[fault](operation)
        return answer

    def _fault(self, operation: str) -> Kind | None:
        """Note a call; return its fault, if it is the case's."""
        place = (self.function, operation)
        here = (*place, self._seen[place])
        self._seen[place] += 1
        self.calls.append(here)
        return self.case.kind if self.case and self.case.call == here else None


def _throttled(operation: str) -> Exception:
    detail: Any = {"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}
    return ClientError(detail, operation)


def _lost(operation: str) -> Exception:
    return ReadTimeoutError(endpoint_url=f"https://example.com/{operation}")


_BEFORE: Mapping[Kind | None, Callable[[str], BaseException]] = {
    "killed before": Killed,
    "throttled": _throttled,
}
_AFTER: Mapping[Kind | None, Callable[[str], BaseException]] = {
    "killed after": Killed,
    "answer lost": _lost,
}


def outcome(
    case: KafkaCase | None = None, *, by_endpoint: bool = False
) -> tuple[dict[str, Any], Wire]:
    """Run a scenario; return all that it leaves behind, and its calls."""
    wire = Wire(case)
    detectors = DETECTORS_OF_ENDPOINT if by_endpoint else DETECTORS
    with (
        TemporaryDirectory() as folder,
        opened_kafka_stack(Path(folder), detectors) as stack,
        wire.open(),
        redirect_stdout(StringIO()),
        ExitStack() as clock,
    ):
        past = [each._replace(time=each.time + 6_800) for each in ordinary_events(400)]
        lines = [log_line(each) for each in past]
        stack.archive.write_bytes("shop/2026/06/01.json", b"\n".join(lines))
        if by_endpoint:
            # The model that was before: the first answer names the one that serves.
            for each in ("b", "a"):
                stack.make_current(an_endpoint_training(each))
            wire.endpoint.variants = ["b"]
        for function, event in _invocations():
            if by_endpoint and function == "train_log":
                continue
            if function == "close_windows":
                # The sweep that is to end the incident finds it silent for long enough.
                clock.enter_context(time_machine.travel(datetime.now(UTC) + timedelta(hours=2)))
            _until_done(stack, wire, function, event)
        return _left_behind(stack, wire), wire


def _invocations() -> Iterator[tuple[str, Any]]:
    later = [each._replace(time=each.time + 7_200) for each in ordinary_events(40, seed=3)]
    slow = an_event(time=HOUR + 40.0, method="POST", response_time=30.0)
    records = raw_records([*later, slow])
    records[5] = records[5]._replace(data=b"rubbish")
    yield "train_log", {"source": "aws.events"}
    yield "score_kafka", kafka_event(records[:20])
    # Another topic: the same partition and the same offsets.
    other = [each._replace(lane="shop-api-0", position=n) for n, each in enumerate(records[20:])]
    yield "score_kafka", kafka_event(other)
    yield "report_hour", {}
    yield "close_windows", {}
    yield "report_hour", {}
    yield "train_log", {}


def _until_done(stack: KafkaStack, wire: Wire, function: str, event: Any) -> None:
    """Invoke until it succeeds and nothing comes again, as AWS does."""
    for _ in range(_ATTEMPTS):
        wire.function = function
        try:
            answer = stack.invoke(function, event)
        except Killed:
            stack.cool_down()
        except Exception:  # noqa: BLE001 - Lambda invokes again, whatever the error
            pass
        else:
            if not answer.get("batchItemFailures") and not _outbox_left(stack, wire):
                break
        finally:
            wire.function = ""
        stack.let_visibility_end()
        _sweep(stack, wire)


def _sweep(stack: KafkaStack, wire: Wire) -> None:
    """Deliver what a killed function left, as the next minute's sweep does; its grace is over."""
    wire.function = "close_windows"
    with (
        patch("cutwatch.streams.sweep._DELIVERED_BY_ITS_WRITER", timedelta()),
        patch("cutwatch.streams.kafka_lag._latest", lambda *_: 1.0),
        suppress(Exception),
    ):
        try:
            stack.invoke("close_windows", {})
        except Killed:
            stack.cool_down()
    wire.function = ""


def _outbox_left(stack: KafkaStack, wire: Wire) -> bool:
    wire.function = ""
    store = StateStore(stack.bucket, stack.stream)
    return any(store.header(each.number).has_outbox for each in store.stored())


def _left_behind(stack: KafkaStack, wire: Wire) -> dict[str, Any]:
    """Return everything that must be as after an undisturbed run, as JSON values."""
    store = StateStore(stack.bucket, stack.stream)
    bucket = store.load(0).bucket
    report = stack.report(HOUR)
    del report["ids"]
    current = ModelRegister(stack.bucket, stack.stream).read()
    incidents = IncidentStore(Table(client("dynamodb"), "registry")).between(
        parse_timestamp("2026-06-01T00:00:00Z", ""), parse_timestamp("2026-06-02T00:00:00Z", "")
    )
    return {
        "report": report,
        "applied": {lane: position for lane, (position, _) in bucket.applied.items()},
        "totals": [bucket.totals.accepted, bucket.totals.rejected, bucket.totals.late],
        "outbox": bool(bucket.outbox),
        "results": len(stack.messages("results_url")),
        "rejected": sorted(each["sequence_number"] for each in stack.messages("rejected_records_url")),
        "model": [each.records for each in current.versions],
        "is_current": bucket.states[""].model == _version_that_serves(stack, wire, current.version),
        "incidents": sorted((each.incident.id, each.ended, sorted(each.notified)) for each in incidents),
        "mails": sorted(wire.mails),
        "pages": sorted(each.key for each in stack.bucket.list("streams/shop/reports/")),
    }  # fmt: skip


def _version_that_serves(stack: KafkaStack, wire: Wire, current: str) -> str:
    serves = wire.endpoint.variants[0] if stack.stream.is_scored_by_endpoint else current
    key = ModelRegister(stack.bucket, stack.stream).model_key(serves)
    return FittedModel.from_bytes(stack.bucket.read_bytes(key)).version


@dataclass(frozen=True)
class Undisturbed:
    """What the scenarios leave behind without a fault, and every case of their calls."""

    expected: Mapping[bool, dict[str, Any]]
    cases: list[KafkaCase]

    @classmethod
    def run(cls) -> "Undisturbed":
        expected, wire = outcome()
        by_endpoint, of_endpoint = outcome(by_endpoint=True)
        scoring = [each for each in of_endpoint.calls if each[0] == "score_kafka"]
        every = [*cases(wire.calls), *cases(scoring, by_endpoint=True)]
        return cls({False: expected, True: by_endpoint}, every)


def cases(calls: Iterable[Call], *, by_endpoint: bool = False) -> list[KafkaCase]:
    """Return every case, from the calls of an undisturbed run."""
    return [KafkaCase(call, kind, by_endpoint) for call in calls for kind in KINDS]


def problems(case: KafkaCase, expected: dict[str, Any]) -> tuple[str, ...]:
    """Run a case; return what differs from the undisturbed run."""
    found, wire = outcome(case, by_endpoint=case.by_endpoint)
    differing = [
        f"{name}: {_short(found[name])} instead of {_short(expected[name])}"
        for name in expected
        if found[name] != expected[name]
    ]
    if case.call not in wire.calls:
        differing.append("the call was not made")
    most = 2 if case.call[1] in _MAY_REPEAT or case.kind != "throttled" else 1
    differing += [f"mail {subject!r} came {count} times" for subject, count in wire.mails.items() if count > most]  # fmt: skip
    return tuple(differing)


def _short(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) < 300 else f"{text[:300]}..."


def verdicts(chosen: Iterable[tuple[int, KafkaCase]], undisturbed: Undisturbed) -> Iterator[Verdict]:  # fmt: skip
    """Judge cases one after the other."""
    for number, case in chosen:
        try:
            found = problems(case, undisturbed.expected[case.by_endpoint])
        except Exception as error:  # noqa: BLE001 - a case that cannot be judged has not passed
            found = (f"{type(error).__name__}: {error}",)
        yield Verdict(number, case.name.rpartition(" [")[0], case.kind, found)


def main() -> int:
    """Judge, print the matrix; 1 if a case failed."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    started, done = time.monotonic(), list[Verdict]()
    logger.setLevel(logging.CRITICAL)
    undisturbed = Undisturbed.run()
    every = undisturbed.cases
    for verdict in verdicts([(n, each) for n, each in enumerate(every) if wanted in each.name], undisturbed):  # fmt: skip
        done.append(verdict)
        if verdict.problems:
            print(every[verdict.number].name, *verdict.problems, sep="\n  ", flush=True)
    print(shown(done))
    print(f"{len(done)} cases of a Kafka stream, {sum(bool(each.problems) for each in done)} failed, {time.monotonic() - started:.0f} s")  # fmt: skip
    return int(any(verdict.problems for verdict in done))


if __name__ == "__main__":
    sys.exit(main())
