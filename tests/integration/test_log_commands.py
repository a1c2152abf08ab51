"""`cutwatch compare` and `cutwatch train`, as a person calls them."""

import json
from functools import cache
from itertools import islice
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cutwatch.anomaly_models.fitted_model import FittedModel
from cutwatch_cli.access_logs.faults import planted_faults
from cutwatch_cli.access_logs.shop import Shop, json_line
from cutwatch_cli.main import app

MONDAY = 1_780_272_000.0
DETECTORS = """\
streams:
  - name: shop
    source: kafka:shop-access
    model: one_class_svm
    log: {time: timestamp, response_time: duration_ms, response_time_unit: milliseconds, level: level,
          method: request.method, path: request.path, status: status}
  - name: cart
    source: kafka:cart-access
    model: random_cut_forest_endpoint
    log: {time: timestamp, path: request.path}
  - name: vitals
    source: vitals
    record: {time: at, values: {x: x}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a detectors file and a log of labelled records, two of its lines no records."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "detectors.yaml").write_text(DETECTORS)
    (tmp_path / "log.jsonl").write_text(labelled_log())
    return tmp_path


@cache
def labelled_log() -> str:
    faults = planted_faults(MONDAY + 72_000, MONDAY + 86_400)
    shop = Shop(MONDAY, 86_400, busiest_rate=0.2, faults=faults)
    lines = ["no record", "{}"]
    for event, fault in islice(shop.requests(), 20_000):
        lines.append(json.dumps(json.loads(json_line(event)) | {"bad": fault is not None}))
    return "\n".join(lines)


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout, result.stderr


def test_models_are_compared_on_a_generated_log() -> None:
    code, text, _ = run("compare", "--days", "3", "--rate", "0.05", "--model", "one_class_svm", "--json")  # fmt: skip
    [result] = json.loads(text)
    assert code == 0
    assert result["model"] == "one_class_svm"
    assert result["roc_auc"] > 0.5
    assert {*result["found"], *result["missed"]} >= {"error burst", "path scan"}


def test_models_are_compared_on_labelled_records(folder: Path) -> None:
    code, text, _ = run(
        "compare", "log.jsonl", "--stream", "shop", "--label", "bad", "--model", "one_class_svm", "--detectors", "detectors.yaml"
    )  # fmt: skip
    assert code == 0
    assert "one_class_svm" in text
    assert "labelled" in text


def test_a_trained_model_is_written_under_its_version(folder: Path) -> None:
    code, text, _ = run("train", "log.jsonl", "--stream", "shop", "--detectors", "detectors.yaml", "--json")  # fmt: skip
    result = json.loads(text)
    content = Path(result["file"]).read_bytes()
    assert code == 0
    assert Path(result["file"]).name == result["model_version"]
    assert FittedModel.from_bytes(content).version == result["model_version"]
    assert result["records"] > 5_000


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("train", "log.jsonl", "--stream", "vitals"), "stream 'vitals' has no log"),
        (("train", "log.jsonl", "--stream", "shpo"), "'shpo' is not a stream of the file; did you mean 'shop'?"),
        (("train", "log.jsonl", "--stream", "cart"), "SageMaker trains the model of stream 'cart'; run cutwatch train FILE --stream cart --upload"),
        (("train", "absent.jsonl", "--stream", "shop"), "absent.jsonl: No such file or directory"),
        (("compare", "detectors.yaml", "--stream", "shop"), "detectors.yaml: no line is a log record of stream 'shop'"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_in_a_sentence(
    folder: Path, arguments: tuple[str, ...], reason: str
) -> None:
    code, _, errors = run(*arguments, "--detectors", "detectors.yaml")
    assert code == 2
    assert reason in errors


def test_a_backtest_of_a_log_names_the_command_that_compares(folder: Path) -> None:
    code, _, errors = run("backtest", "log.jsonl", "--stream", "shop", "--detectors", "detectors.yaml")  # fmt: skip
    assert code == 2
    assert "cutwatch compare shows what the models find" in errors
