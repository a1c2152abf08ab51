import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import assert_one_line_mistake, cutwatch

FILE = """
detectors: []
tables:
  - name: orders
    source: orders
    values: [amount]
  - name: zones
    source: zones
    values: [amount]
    key: zone
    engine: forest
    forest: {trees: 30}
    keys: {limit: 20}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "detectors.yaml"
    path.write_text(FILE)
    return path


def estimate(*arguments: str | Path) -> dict[str, Any]:
    result = cutwatch("cost", "--json", *arguments)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.mark.parametrize(("name", "keys", "trees"), [("orders", 1, 100), ("zones", 20, 30)])
def test_both_engines_are_compared_whatever_the_entry_s(
    file: Path, name: str, keys: int, trees: int
) -> None:
    found = estimate("--table", name, "--detectors", file, "--records-per-second", "5")

    assert (found["table"], found["load"]["keys"], found["forest"]["trees"]) == (name, keys, trees)
    pairs = [(each["way"], each["changes_per_second"]) for each in found["estimates"]]
    ways = ("instance", "serverless", "forest")
    assert pairs == [(way, rate) for rate in (1, 5, 10, 100, 1000) for way in ways]


def test_prices_items_and_assumptions_can_be_changed() -> None:
    changes = ["--price", "endpoint_hour=1", "--assume", "bake=1"]
    assert_one_line_mistake(cutwatch("cost", "--table", "any", *changes), "unknown name 'bake'")
    found = estimate("--table", "any", *changes[:2], "--items", "3000000", "--keys", "4")
    assert found["prices"]["endpoint_hour"]["certainty"] == "given"
    assert (found["items"], found["prepared_by"]) == (3_000_000, "glue")
    assert found["estimates"][0]["dollars_a_month"] > 730


def test_a_longer_window_makes_forests_cheaper() -> None:
    usual = estimate("--table", "any")["estimates"][2]
    longer = estimate("--table", "any", "--assume", "batching_window_seconds=60")["estimates"][2]
    assert longer["way"] == usual["way"] == "forest"
    assert longer["dollars_a_month"] < 0.6 * usual["dollars_a_month"]


def test_the_answer_says_what_trainings_cost_and_why_forests_cannot_be_used() -> None:
    text = cutwatch("cost", "--table", "any", "--keys", "20").stdout

    assert text.startswith("any: 100 changes a second, 100,000 items of 1,000 bytes, 20 keys")
    [thousand] = [each for each in text.splitlines() if each.strip().startswith("1,000 ")]
    assert thousand.split()[3:] == ["too", "many"]
    assert "for 4.35 trainings, prepared by a function that scans the table" in text
    assert "Too many: a forest has room for 1,000,000 changes a day." in text
    slow = cutwatch("cost", "--table", "any", "--keys", "1000").stdout
    assert "Too slow: a batch takes longer" in slow
    assert "too many" not in slow


def test_details_have_parts_items_prices_and_assumptions() -> None:
    text = cutwatch("cost", "--table", "any", "--records-per-second", "5", "--details").stdout

    for words in ("by part", "Serverless endpoint, per month", "Forests, per month", "glue_dpu_hour", "overlap_hours"):  # fmt: skip
        assert words in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--table", "other"], ["--table other", "its tables: orders, zones"]),
        (["--table", "any", "--assume", "read_units_per_second=0"], ["read_units_per_second=0"]),
        (["--table", "any", "--price", "flink_kpu_hour=1"], ["unknown name 'flink_kpu_hour'"]),
        (["--table", "any", "--stream", "any"], ["--stream", "--table", "choose one"]),
        (["--table", "any", "--live"], ["--live", "choose one"]),
    ],
)
def test_what_is_not_known_is_refused(file: Path, arguments: list[str], words: list[str]) -> None:
    assert_one_line_mistake(cutwatch("cost", *arguments, "--detectors", file), *words)
