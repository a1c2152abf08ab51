"""A newcomer with a DynamoDB table types what docs/tables.md shows: from an existing table to the first mail, with the real sam."""

import json
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.test_first_contact import printed, without_dependencies
from tests.support.documents import shown
from tests.support.local_server import cutwatch_local
from tests.support.project import PROJECT
from tests.support.python_of_lambda import has_python_of_lambda
from tests.support.reader import Reader, missing_tools

DOCUMENT = PROJECT / "docs" / "tables.md"
DEPLOY = "sam deploy --no-confirm-changeset"
TABLE, ITEMS = "taxi_ridership", 1_200
# Long enough for a busy machine; it takes seconds.
_PATIENCE_SECONDS = 300


def section() -> str:
    text = DOCUMENT.read_text()
    return text[text.index("## From a table to the first email") : text.index("## Declaration")]


def commands() -> list[str]:
    """Return the commands of the way to the first mail, in this Region."""
    every = [one.command for one in shown(DOCUMENT) if one.command in section()]
    return [each.replace("eu-west-1", "us-east-1") for each in every]


def declaration() -> dict[str, Any]:
    """Return the entry that the page shows."""
    block = section().partition("```yaml\n")[2].partition("```")[0]
    found: dict[str, Any] = yaml.safe_load(block)
    return found


def ride(number: int, count: float) -> dict[str, Any]:
    time_of = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60 + number / 1e4))
    return {"id": {"S": f"{number}"}, "ridecount": {"N": f"{count:.2f}"}, "time": {"S": time_of}}


def make_table(dynamodb: Any) -> None:
    """Make an existing table, with items and without a stream."""
    dynamodb.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    source = random.Random(5)
    rides = [ride(n, source.gauss(1_000, 50)) for n in range(ITEMS)]
    for start in range(0, ITEMS, 25):
        requests = [{"PutRequest": {"Item": each}} for each in rides[start : start + 25]]
        dynamodb.batch_write_item(RequestItems={TABLE: requests})


def until(found: Callable[[], str]) -> str:
    """Return what is found, once it is."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if result := found():
            return result
        time.sleep(0.5)
    raise AssertionError(f"nothing was found in {_PATIENCE_SECONDS} s")


@pytest.mark.slow
@pytest.mark.skipif(missing_tools() is not None, reason=str(missing_tools()))
@pytest.mark.skipif(not has_python_of_lambda(), reason="sam build needs python3.13")
def test_a_newcomers_table_mails_its_first_incident(tmp_path: Path) -> None:
    stream, validate, build, deploy, train, *look = commands()
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    with cutwatch_local("--skip-waits") as server:
        account = {k: v for k, v in server.environment.items() if k.startswith("AWS_")}
        reader = Reader(checkout, account)
        without_dependencies(checkout)
        dynamodb, states = server.client("dynamodb"), server.client("stepfunctions")
        make_table(dynamodb)
        path = checkout / "functions" / "detectors.yaml"
        path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **declaration()}))

        typed = reader.type(
            [DEPLOY, stream, validate, build, f"{deploy} --no-confirm-changeset", train]
        )
        assert [each.code for each in typed] == [0] * 6, typed[-1].printed
        arn = json.loads(printed(typed, "aws stepfunctions"))["executionArn"]

        def ended() -> str:
            status: str = states.describe_execution(executionArn=arn)["status"]
            return "" if status == "RUNNING" else status

        assert until(ended) == "SUCCEEDED", states.describe_execution(executionArn=arn)
        dynamodb.put_item(TableName=TABLE, Item=ride(ITEMS, 9_000))

        def mailed() -> str:
            mails = server.run("cutwatch", "mails").stdout
            return mails if "taxi: ridecount at 9,000" in mails else ""

        assert "severity: " in until(mailed)
        typed = reader.type(look)

    assert [each.code for each in typed] == [0] * len(look), typed[-1].printed
    assert "InService" in printed(typed, "cutwatch status")
    assert "ridecount" in printed(typed, "cutwatch events")
    assert "scored" in printed(typed, "cutwatch logs")
