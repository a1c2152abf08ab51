import csv
import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from cutwatch.detectors.cold_start import DETECTOR_FOREST
from cutwatch.streams.copied_forest import copied_forest
from cutwatch_cli.main import app
from tests.support.command_line import SMALL_TEMPLATE
from tests.support.detector_forests import a_detector, a_recipe, store_model, trained_checkpoint
from tests.support.project import PROJECT
from tests.support.stream_state import FakeBucket
from tests.support.streams import a_stream, blood_pressures, noise, records_of

CHECKPOINT = trained_checkpoint(noise(600, 5), a_recipe(), 1_780_000_200)
BEGUN = a_stream(forest=DETECTOR_FOREST, cold_start="vibration")
DECLARATION = """\
streams:
  - name: sensors
    source: sensors
    record: {key: id, time: at, time_format: seconds, values: [x]}
    forest: {trees: 5, sample_size: 40}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    lines = [record.data for record in records_of([*noise(150), 500.0, *noise(60)], step=60)]
    path = tmp_path / "records.jsonl"
    path.write_bytes(b"\n".join([*lines, b"rubbish"]))
    (tmp_path / "detectors.yaml").write_text(DECLARATION)
    return path


def backtest(file: Path, *arguments: str, name: str = "sensors") -> Result:
    declared = ["--detectors", str(file.parent / "detectors.yaml")]
    output = ["--output", str(file.parent / "out")]
    return CliRunner().invoke(app, ["backtest", str(file), "--stream", name, *declared, *output, *arguments])  # fmt: skip


def test_the_command_prints_counts_and_incidents_and_writes_the_rows(file: Path) -> None:
    result = backtest(file)
    scored = file.parent / "out" / "sensors.scored.csv"

    assert result.exit_code == 0, result.output
    lines = [" ".join(line.split()) for line in result.output.splitlines()]
    assert "read 212" in lines
    assert "rejected: not JSON 1 line 212: the record is not a JSON text" in lines
    assert "records scored 171 1 key" in lines
    assert [line for line in lines if line.startswith("2026-05-28 22:56:40 a ")]
    assert f"scored rows: {scored}" in result.output
    with scored.open(newline="") as rows:
        assert len(list(csv.DictReader(rows))) == 211


def test_the_command_prints_json(file: Path) -> None:
    result = backtest(file, "--json")
    payload = json.loads(result.stdout)

    assert (payload["read"], payload["rejected"], payload["scored"]) == (212, {"not JSON": 1}, 171)
    [incident] = payload["incidents"]
    assert (incident["begin"], incident["ended"]) == ("2026-05-28T22:56:40Z", True)


def test_nothing_to_report_is_said(file: Path) -> None:
    file.write_bytes(b"\n".join(record.data for record in records_of([1.0, 2.0])))
    assert "No incidents." in backtest(file).output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sensitivity", "high"], "--sensitivity cannot be combined with --stream"),
        (["other.jsonl"], "--stream sensors: expected one file of records, not 2"),
    ],
)
def test_what_does_not_fit_a_stream_is_refused(
    file: Path, arguments: list[str], message: str
) -> None:
    result = backtest(file, *arguments)
    assert (result.exit_code, result.stderr) == (2, f"cutwatch: {message}\n")


def test_an_unknown_stream_or_file_is_refused(file: Path) -> None:
    unknown, missing = backtest(file, name="sensor"), backtest(file.with_name("no.jsonl"))

    assert (unknown.exit_code, missing.exit_code) == (2, 2)
    assert "did you mean 'sensors'?" in unknown.stderr
    assert "no.jsonl: No such file" in missing.stderr


def test_a_file_without_a_valid_record_fails_and_says_why(file: Path) -> None:
    file.write_text("rubbish\n")
    result = backtest(file)

    assert result.exit_code == 1
    assert "line 1: the record is not a JSON text" in result.stdout
    assert "no record could be scored" in result.stderr


@pytest.mark.parametrize(
    "options", [["--json"], ["--invoke"], ["--reference", "x.csv"], ["--cold-start", "x"]]
)
def test_options_of_streams_need_a_stream(file: Path, options: list[str]) -> None:
    result = CliRunner().invoke(app, ["backtest", str(file), *options])
    assert (result.exit_code, result.stderr) == (2, f"cutwatch: {options[0]} needs --stream\n")


OWN = """\
import json

def clean(data):
    record = json.loads(data)
    return record if record["x"] < 400 else [record, record | {"x": 0.0}]

def extend(event):
    return {"room": event["key"] + "-7"}
"""


def declare(file: Path, **fields: str) -> None:
    added = "".join(f"    {name}: {value}\n" for name, value in fields.items())
    (file.parent / "detectors.yaml").write_text(DECLARATION + added)


def test_own_functions_are_called(file: Path) -> None:
    (file.parent / "own.py").write_text(OWN)
    declare(file, preprocess="own:clean", postprocess="own:extend")
    payload = json.loads(backtest(file, "--json").stdout)

    assert (payload["read"], payload["added"], payload["rejected"]) == (212, 1, {"preprocessor failed": 1})  # fmt: skip
    assert {each["added"]["room"] for each in payload["incidents"]} == {"a-7"}


def test_a_function_that_is_missing_is_a_mistake_for_backtest_and_validate(file: Path) -> None:
    declare(file, preprocess="own:clean")
    mistake = "stream 'sensors': preprocess: 'own:clean': there is no file own.py next to detectors.yaml"  # fmt: skip
    result = backtest(file)
    assert (result.exit_code, result.stderr) == (2, f"cutwatch: {mistake}\n")
    files = ["--detectors", str(file.parent / "detectors.yaml"), "--template", str(SMALL_TEMPLATE)]  # fmt: skip
    checked = CliRunner().invoke(app, ["validate", *files])
    assert (checked.exit_code, checked.stderr) == (2, f"cutwatch: detectors.yaml: {mistake}\n")


def test_reference_data_are_joined_from_a_file(file: Path) -> None:
    declare(file, reference="{s3: s3://bucket/machines.csv, key: id, place: id, required: true}")
    machines = file.parent / "machines.csv"
    machines.write_text("id,limit\na,5\n")
    payload = json.loads(backtest(file, "--json", "--reference", str(machines)).stdout)
    assert (payload["accepted"], payload["rejected"]) == (211, {"not JSON": 1})
    machines.write_text("id,limit\nb,5\n")
    payload = json.loads(backtest(file, "--json", "--reference", str(machines)).stdout)
    assert payload["rejected"] == {"missing field": 211, "not JSON": 1}

    missing = backtest(file, "--reference", "no.csv")
    assert (missing.exit_code, missing.stderr) == (2, "cutwatch: --reference no.csv: No such file or directory\n")  # fmt: skip


def test_a_lambda_function_is_called_on_request_only(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(file, preprocess="arn:aws:lambda:eu-west-1:123456789012:function:clean")
    refused = backtest(file)
    assert (refused.exit_code, refused.stderr) == (2, "cutwatch: stream 'sensors': preprocess is a Lambda function; add --invoke to call it with the file's records\n")  # fmt: skip

    class Lambda:
        def invoke(self, **request: Any) -> Any:
            answers = [each | {"result": "Dropped"} for each in json.loads(request["Payload"])["records"]]  # fmt: skip
            return {"Payload": io.BytesIO(json.dumps({"records": answers}).encode())}

    monkeypatch.setattr("cutwatch_cli.stacks.account.Account.client", lambda *_: Lambda())
    result = backtest(file, "--invoke")
    assert "dropped by the preprocessor 212" in [" ".join(line.split()) for line in result.stdout.splitlines()]  # fmt: skip


def test_the_documents_example_finds_an_anomaly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (PROJECT / "docs" / "streams.md").read_text()
    found = re.findall(r"^```(yaml|json|sh)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    # The first block of each kind.
    blocks = dict(reversed(found))
    monkeypatch.chdir(tmp_path)
    Path("functions").mkdir()
    Path("functions/detectors.yaml").write_text(blocks["yaml"])
    lines = [blocks["json"]]
    for minute, (_, systolic, diastolic) in enumerate([*blood_pressures(1_000, 1), ("", 250, 200)]):
        at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
        pressure = {"systolic": systolic, "diastolic": diastolic}
        patient = {"id": "p-1"}
        record = {"patient": patient, "measured_at": at.isoformat(), "pressure": pressure}
        lines.append(json.dumps(record) + "\n")
    Path("records.jsonl").write_text("".join(lines))

    result = CliRunner().invoke(app, [*blocks["sh"].split()[1:], "--json"])
    payload = json.loads(result.stdout)

    assert (payload["read"], payload["rejected"], payload["keys"]) == (1_002, {}, 2)
    assert payload["incidents"][-1]["columns"]["systolic"]["value"] == 250
    assert Path("build/backtest/vitals.scored.csv").exists()


def test_keys_begin_with_the_forest_of_a_file(file: Path) -> None:
    detector = a_detector("vibration").to_payload()
    declared = [each.to_payload() for each in (BEGUN, replace(BEGUN, name="other", cold_start=""))]
    content = yaml.safe_dump({"detectors": [detector], "streams": declared})
    (file.parent / "detectors.yaml").write_text(content)
    model = store_model(FakeBucket(), a_detector(), a_recipe(), CHECKPOINT)
    first = copied_forest(BEGUN, model, CHECKPOINT.to_bytes(), "", a_recipe().to_payload())
    forest = file.parent / "forest"
    forest.write_bytes(first.to_bytes())

    without, begun = (
        backtest(file, "--json", *each) for each in ([], ["--cold-start", str(forest)])
    )
    assert without.stderr.startswith(
        "cutwatch: keys begin with nothing; --cold-start FILE takes a copy of cold-starts/sensors/"
    )
    assert [json.loads(each.stdout)["learning"] for each in (without, begun)] == [211, 0]
    assert begun.stderr == ""

    other = backtest(file, "--cold-start", str(forest), name="other")
    assert (other.exit_code, "has no cold_start, but" in other.stderr) == (2, True)
    missing = backtest(file, "--cold-start", "no")
    assert (missing.exit_code, missing.stderr) == (
        2,
        "cutwatch: --cold-start no: No such file or directory\n",
    )
