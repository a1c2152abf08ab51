"""Every call of the endpoint's state machine and of the scoring function meets every fault; nothing is lost or doubled."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from localaws import Fault
from localaws.calls import Call
from tests.faults.matrix import chosen_for, present_commit
from tests.faults.table_matrix import Judge, verdicts
from tests.faults.table_shop import TableShop
from tests.support.table_application import CutoffWatch, rides
from tests.support.watched_tables import stream_record

pytestmark = pytest.mark.slow

# Of the matrix, other ones for every commit.
CASES = 2

Rides = tuple[Any, CutoffWatch]
Calls = list[tuple[str, str, str]]

FAULTS: dict[str, dict[str, Any]] = {
    "throttled": {"error": "ThrottlingException"},
    "server error": {"error": "InternalFailure", "status": 500},
    "connection lost before the work": {"reset": "before"},
    "connection lost after the work": {"reset": "after"},
}
# What S3 and DynamoDB call throttling and errors of their own.
_CODES = {
    ("s3", "ThrottlingException"): ("SlowDown", 503),
    ("s3", "InternalFailure"): ("InternalError", 500),
    ("dynamodb", "InternalFailure"): ("InternalServerError", 500),
}
# More than botocore's own tries, so that functions and the state machine meet the error too.
TIMES = 3


def function_of(call: Call) -> str:
    """The logical name of the function that made a call, empty for others'."""
    _, _, session = call.caller.partition("/")
    parts = session.split("-")
    return parts[1] if len(parts) == 3 and parts[0] == "taxi" else ""


def calls_of(application: Any, run: Callable[[], Any]) -> Calls:
    application.aws.calls.clear()
    run()
    return sorted(
        {
            (call.service, call.operation, function)
            for call in application.aws.calls
            if (function := function_of(call)) and call.service not in ("logs", "xray")
        }
    )


def fault(kind: str, service: str, operation: str, function: str) -> Fault:
    details = dict(FAULTS[kind])
    if "error" in details:
        code, status = _CODES.get((service, details["error"]), (details["error"], details.get("status", 400)))  # fmt: skip
        details |= {"error": code, "status": status}
    times = 1 if "reset" in details else TIMES
    return Fault(service, operation, caller=f"*/taxi-{function}-*", times=times, **details)


@pytest.fixture(scope="module")
def deployed() -> Iterator[Rides]:
    with rides() as (application, watch):
        assert application.run({"time": "2026-11-01T03:00:00Z"}).wait().status == "SUCCEEDED"
        # The changes of the items themselves are scored first.
        application.aws.clock.advance(60)
        yield application, watch


@pytest.fixture
def application(deployed: Rides) -> Iterator[Any]:
    found, watch = deployed
    yield found
    found.aws.faults.clear()
    assert watch.without == []


def train(application: Any, day: int) -> Any:
    return application.run({"time": f"2026-11-{day:02d}T03:00:00Z"}).wait()


def test_a_training_meets_faults_at_every_call_and_deploys_one_model(application: Any) -> None:
    train(application, 2)
    known = calls_of(application, lambda: train(application, 3))
    training = [
        each for each in known if each[2] not in ("ScoreDynamodbStream", "CloseTableIncidents")
    ]
    assert {operation for _, operation, _ in training} >= {
        "Scan", "CreateTrainingJob", "CreateModel", "CreateTransformJob", "PutItem", "CreateEndpointConfig",
        "UpdateEndpoint", "DescribeEndpoint", "DeleteEndpointConfig", "DeleteModel", "DeleteObject",
    }  # fmt: skip
    # One function makes more kinds of calls than the state machine has tries, so half of them fail in a run: each once with an
    # error or a connection lost before the work, and once with one lost after it, which alone leaves something done.
    *before, after = FAULTS
    for day, half in enumerate((0, 1, 0, 1), 4):
        for number, call in enumerate(training[half::2]):
            kind = after if day > 5 else before[number % len(before)]
            application.aws.faults.add(fault(kind, *call))
        ended = train(application, day)
        assert ended.status == "SUCCEEDED", (day, ended.error, ended.cause)
        [serves] = application.aws.variants_in_service()["taxi"]
        assert f"202611{day:02d}0300" in serves
        assert len(application.cutoffs) == 2
        left = application.aws.faults._faults.values()
        assert {each.operation for each in left if each.times} == set(), day
        application.aws.faults.clear()


@pytest.mark.parametrize("kind", FAULTS)
def test_scoring_meets_every_fault_at_every_call_and_notifies_once(
    application: Any, kind: str
) -> None:
    number, now = list(FAULTS).index(kind), application.aws.clock.now().timestamp()
    batch = [
        stream_record(1_000, 100 * number + 1, item=f"a{number}", at=now),
        stream_record(9_000 + number, 100 * number + 2, item=f"b{number}", at=now),
        stream_record({"S": f"many {number}"}, 100 * number + 3, item=f"c{number}", at=now),
    ]
    again = [stream_record(9_500 + number, 100 * number + 50, item=f"d{number}", at=now)]
    known = calls_of(application, lambda: application.score(again))
    scoring = [each for each in known if each[2] == "ScoreDynamodbStream"]
    assert {operation for _, operation, _ in scoring} >= {
        "InvokeEndpoint",
        "GetObject",
        "PutObject",
    }
    for call in scoring:
        application.aws.faults.add(fault(kind, *call))
    tries = [_score(application, batch) for _ in range(12)]
    assert tries[-1] == {"batchItemFailures": []}
    for _ in range(6):
        application.invoke(application.stack.outputs["CloseIncidentsFunction"], {})
    subjects = [mail.subject for mail in application.aws.mails.all()]
    assert sum(f"{9_000 + number:,}" in each for each in subjects) <= 1
    assert letters(application).count(str(100 * number + 3)) == 1
    state = application.aws.client("s3").get_object(
        Bucket=application.base.outputs["DataBucketName"], Key="tables/taxi/state"
    )
    content = json.loads(state["Body"].read().partition(b"\n")[2])
    [(incident, *_)] = content["incidents"].values()
    assert incident["rows"] == 2 * (number + 1)
    assert content["outbox"] == {}


def _score(application: Any, batch: list[dict[str, Any]]) -> Any:
    """Score a batch as a mapping does: an error of the function is followed by another try."""
    try:
        return application.score(batch)
    except RuntimeError as error:
        return str(error)


def letters(application: Any) -> list[str]:
    """The sequence numbers of all rejected records so far; they stay in the queue."""
    sqs, url = application.aws.client("sqs"), application.stack.outputs["RejectedRecordsQueueUrl"]
    found = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            found.append(json.loads(message["Body"])["sequence_number"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def test_a_part_of_the_matrix_of_a_training_passes(deployed: Rides) -> None:
    """`make faults` runs all of it, and those of scoring, of forests and of the Glue job."""
    judge = Judge(TableShop(*deployed), "training")
    cases = judge.cases()
    assert len(cases) > 250
    chosen = [cases[number] for number in chosen_for(present_commit(), cases, CASES)]
    judged = {chosen[each.number].name: each.problems for each in verdicts(judge, chosen)}
    assert judged == dict.fromkeys(judged, ())
