import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner, Result

from cutwatch_cli.main import app
from tests.support.command_line import SMALL_TEMPLATE
from tests.support.streams import START, blood_pressures

ARN = "arn:aws:kinesis:eu-west-1:123456789012:stream/vitals"


@pytest.fixture
def kinesis(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr("cutwatch_cli.streams.kinesis_sample._PAUSE_SECONDS", 0)
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client = boto3.client("kinesis", region_name="eu-west-1")
        client.create_stream(StreamName="vitals", ShardCount=3)
        yield client


def sample(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["stream", "sample", *arguments])


def send(kinesis: Any, records: list[tuple[str, bytes]]) -> None:
    kinesis.put_records(
        StreamName="vitals",
        Records=[{"PartitionKey": key, "Data": data} for key, data in records],
    )


def pressures(count: int, separator: str = "") -> list[tuple[str, bytes]]:
    found = []
    for number, (_, systolic, diastolic) in enumerate(blood_pressures(count, 1)):
        patient = f"p-{number % 4}"
        cells = [patient, START + number, systolic, diastolic]
        record = {"patient": patient, "at": START + number, "mm": {"hi": systolic, "lo": diastolic}}
        data = separator.join(map(str, cells)) if separator else json.dumps(record)
        found.append((patient, data.encode()))
    return found


def validated(text: str, path: Path) -> Result:
    path.write_text(text)
    return CliRunner().invoke(
        app,
        ["validate", "--detectors", str(path), "--template", str(SMALL_TEMPLATE)],
    )


@pytest.mark.parametrize(
    ("separator", "expected"),
    [
        ("", "key: patient  # equals the partition key in every record"),
        (",", "key: column1  # equals the partition key in every record"),
    ],
)
def test_validate_accepts_the_printed_entry(kinesis: Any, tmp_path: Path, separator: str, expected: str) -> None:  # fmt: skip
    send(kinesis, pressures(120, separator))
    result = sample(ARN)

    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"# Inferred from 100 records of {ARN}.\n")
    assert expected in result.stdout
    checked = validated(result.stdout, tmp_path / "detectors.yaml")
    assert checked.exit_code == 0, checked.output
    assert f"vitals: {ARN}" in checked.stdout


def test_a_file_is_sampled_and_its_entry_scores_it(tmp_path: Path) -> None:
    file, entry = tmp_path / "my vitals.jsonl", tmp_path / "detectors.yaml"
    file.write_bytes(b"\n".join(data for _, data in pressures(400)))
    result = sample("--file", str(file))
    assert result.exit_code == 0, result.output
    entry.write_text(result.stdout)

    backtest = CliRunner().invoke(app, ["backtest", str(file), "--stream", "my-vitals", "--detectors", str(entry), "--output", str(tmp_path), "--json"])  # fmt: skip
    payload = json.loads(backtest.stdout)
    assert (payload["read"], payload["accepted"], payload["keys"]) == (400, 400, 1)


def test_a_stream_that_does_not_exist_is_named(kinesis: Any) -> None:
    result = sample(ARN.replace("vitals", "vitalz"))
    assert result.exit_code == 1
    assert result.stderr.startswith("cutwatch: arn:aws:kinesis:eu-west-1:123456789012:stream/vitalz: ")  # fmt: skip
    assert "region eu-west-1 has no Kinesis stream of this name" in result.stderr


def test_a_stream_without_records_says_so(kinesis: Any) -> None:
    result = sample(ARN)
    assert (result.exit_code, result.stderr) == (1, f"cutwatch: {ARN}: the stream has no records; send some, and try again\n")  # fmt: skip


def test_nothing_new_within_the_wait_says_so(kinesis: Any) -> None:
    send(kinesis, pressures(5))
    result = sample("vitals", "--region", "eu-west-1", "--from", "newest", "--wait", "0")
    assert (result.exit_code, result.stderr) == (1, "cutwatch: vitals: the stream has no records; send some, or use --from oldest\n")  # fmt: skip


def test_aggregates_are_refused(kinesis: Any) -> None:
    send(kinesis, [("k", b"\xf3\x89\x9a\xc2rest")])
    result = sample(ARN)
    assert result.exit_code == 1
    assert "aggregates of the Kinesis Producer Library" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "expected the ARN or the name of a stream, or --file FILE"),
        ([ARN, "--file", "x"], "expected the ARN or the name of a stream, or --file FILE"),
        (["--file", "no.jsonl"], "no.jsonl: No such file or directory"),
        ([ARN, "--from", "middle"], "--from middle: expected one of oldest, newest"),
    ],
)
def test_options_that_do_not_fit_are_refused(arguments: list[str], message: str) -> None:
    result = sample(*arguments)
    assert (result.exit_code, result.stderr) == (2, f"cutwatch: {message}\n")
