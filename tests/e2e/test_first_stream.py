"""A newcomer with a Kinesis stream types what docs/streams.md shows: from 100 records to the first mail, with the real sam."""

import json
import random
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.test_first_contact import printed, without_dependencies
from tests.support.documents import shown
from tests.support.local_server import LocalServer, cutwatch_local
from tests.support.project import PROJECT
from tests.support.python_of_lambda import has_python_of_lambda
from tests.support.reader import Reader, missing_tools

DOCUMENT = PROJECT / "docs" / "streams.md"
DEPLOY = "sam deploy --no-confirm-changeset"
STREAM, LEARNED, PATIENTS = "vitals", 800, 2
# Long enough for a busy machine; it takes seconds.
_PATIENCE_SECONDS = 300


def vital_records(count: int, first: datetime) -> Iterator[dict[str, Any]]:
    """Yield blood pressures of two patients in turn, a second apart."""
    source = random.Random(5)
    for n in range(count):
        at = datetime.fromtimestamp(first.timestamp() + n, UTC)
        yield {
            "patient": {"id": f"p-{n % PATIENTS}"},
            "measured_at": at.isoformat().replace("+00:00", "Z"),
            "pressure": {"systolic": source.randint(90, 120), "diastolic": source.randint(60, 80)},
        }


def put(kinesis: Any, records: Sequence[dict[str, Any]]) -> None:
    for start in range(0, len(records), 200):
        entries = [
            {"Data": json.dumps(each).encode(), "PartitionKey": each["patient"]["id"]}
            for each in records[start : start + 200]
        ]
        answer = kinesis.put_records(StreamName=STREAM, Records=entries)
        assert answer["FailedRecordCount"] == 0


def commands() -> list[str]:
    """Return the commands of the way to the first mail, in this Region."""
    text = DOCUMENT.read_text()
    section = text[text.index("## From a stream to the first mail") : text.index("## Backtest")]
    every = [one.command for one in shown(DOCUMENT) if one.command in section]
    return [each.replace("eu-west-1", "us-east-1") for each in every]


def until_mailed(server: LocalServer) -> str:
    """Return the printed mails once there is one of an incident."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        mails = server.run(*_CUTWATCH, "mails").stdout
        if "Cutwatch high" in mails or "Cutwatch medium" in mails:
            return mails
        time.sleep(0.5)
    raise AssertionError("no incident was mailed")


_CUTWATCH = ("cutwatch",)


@pytest.mark.slow
@pytest.mark.skipif(missing_tools() is not None, reason=str(missing_tools()))
@pytest.mark.skipif(not has_python_of_lambda(), reason="sam build needs python3.13")
def test_a_newcomers_stream_mails_its_first_incident(tmp_path: Path) -> None:
    sample, validate, backtest, build, deploy, *look = commands()
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    with cutwatch_local("--skip-waits") as server:
        account = {k: v for k, v in server.environment.items() if k.startswith("AWS_")}
        reader = Reader(checkout, account)
        without_dependencies(checkout)
        kinesis = server.client("kinesis")
        kinesis.create_stream(StreamName=STREAM, ShardCount=2)
        now = datetime.now(UTC)
        first = datetime.fromtimestamp(now.timestamp() - LEARNED - 60, UTC)
        records = [*vital_records(LEARNED, first)]
        (checkout / "records.jsonl").write_text("\n".join(map(json.dumps, records)))
        put(kinesis, records)

        typed = reader.type([DEPLOY, sample])
        assert [each.code for each in typed] == [0, 0], typed[-1].printed
        path = checkout / "functions" / "detectors.yaml"
        entry = yaml.safe_load(printed(typed, "cutwatch stream sample"))
        path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **entry}))
        named = entry["streams"][0]["name"]
        assert named == STREAM
        typed = reader.type([validate, backtest, build, f"{deploy} --no-confirm-changeset"])
        assert [each.code for each in typed] == [0] * 4, typed[-1].printed

        last = records[-1]
        put(kinesis, [last | {"pressure": {"systolic": 200, "diastolic": 150}}] * 3)
        mails = until_mailed(server)
        typed = reader.type(look)

    assert "vitals p-1: " in mails
    assert [each.code for each in typed] == [0] * len(look), typed[-1].printed
    assert "p-1" in printed(typed, "cutwatch events")
    assert "scored" in printed(typed, "cutwatch logs")
