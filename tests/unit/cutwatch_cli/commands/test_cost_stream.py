import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import assert_one_line_mistake, cutwatch

FILE = """
detectors: []
streams:
  - name: vitals
    source: vitals
    record: {key: id, time: at, values: [x]}
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


def test_an_entry_gives_its_forest_and_its_keys(file: Path) -> None:
    found = estimate("--stream", "vitals", "--detectors", file)

    assert found["forest"]["trees"] == 30
    assert found["load"] == {
        "records_per_second": 100,
        "keys": 20,
        "shards": 1,
        "record_bytes": 1000,
    }
    pairs = [(each["keys"], each["batching_window_seconds"]) for each in found["estimates"]]
    assert pairs == [(keys, window) for keys in (1, 10, 20, 100, 1000) for window in (1, 5, 10, 60)]


def test_numbers_are_enough() -> None:
    found = estimate("--stream", "any", "--records-per-second", "2500", "--keys", "7")

    assert found["load"] == {
        "records_per_second": 2500,
        "keys": 7,
        "shards": 3,
        "record_bytes": 1000,
    }
    assert estimate("--stream", "any", "--shards", "9")["load"]["shards"] == 9


def test_prices_and_assumptions_can_be_changed() -> None:
    usual = estimate("--stream", "any")
    changed = estimate("--stream", "any", "--price", "s3_put=0", "--assume", "batch_size=10")

    assert changed["prices"]["s3_put"]["certainty"] == "given"
    assert changed["assumptions"]["batch_size"] == 10
    first, other = usual["estimates"][0], changed["estimates"][0]
    assert other["records_per_batch"] == 10 < first["records_per_batch"]
    assert other["services"]["S3"] < first["services"]["S3"]


def test_the_answer_names_the_hot_key_and_the_alternatives() -> None:
    result = cutwatch("cost", "--stream", "any", "--keys", "1")

    lines = result.stdout.splitlines()
    assert lines[0].startswith("any: 100 records a second of 1,000 bytes, 1 shard, 100 x 256 trees")
    assert "Keys" in result.stdout
    assert "a million records, under $0.02." in result.stdout
    assert "Managed Service for Apache Flink: at least $165.60 a month." in result.stdout
    [thousand] = [line for line in lines if line.strip().startswith("1,000")]
    assert thousand.split()[1:3] == ["too", "slow"]
    assert "Too slow: " in result.stdout


def test_details_have_shares_prices_and_assumptions() -> None:
    text = cutwatch("cost", "--stream", "any", "--details").stdout

    for words in ("by service", "The hot key, per month", "kinesis_put_unit", "tree_microseconds"):
        assert words in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--stream", "other"], ["--stream other", "its streams: vitals"]),
        (["--stream", "any", "--assume", "batch_size=0"], ["--assume batch_size=0"]),
        (["--stream", "any", "--assume", "poll_seconds=1"], ["unknown name 'poll_seconds'"]),
        (["--stream", "any", "--price", "training_hour=1"], ["unknown name 'training_hour'"]),
    ],
)
def test_what_is_not_known_is_refused(file: Path, arguments: list[str], words: list[str]) -> None:
    assert_one_line_mistake(cutwatch("cost", *arguments, "--detectors", file), *words)


SHOP = """
detectors: []
streams:
  - name: shop
    source: kafka:shop-access
    model: one_class_svm
    log: {time: at, method: method, path: path}
"""


def test_a_kafka_topic_costs_its_pollers_and_names_its_partitions(tmp_path: Path) -> None:
    path = tmp_path / "detectors.yaml"
    path.write_text(SHOP)
    [items, usual] = [
        {each["item"]: each for each in estimate("--stream", name, "--detectors", path)["hot_key"]["items"]}
        for name in ("shop", "any")
    ]  # fmt: skip
    assert items["event pollers"]["dollars"] == pytest.approx(0.185 * 730)
    assert "event pollers" not in usual
    assert items["custom metrics"]["quantity"] == usual["custom metrics"]["quantity"] + 4

    text = cutwatch("cost", "--stream", "shop", "--detectors", path).stdout
    assert "1 partition, one_class_svm" in text
    assert "The cluster itself is not counted." in text


def test_the_endpoint_of_a_log_is_billed(file: Path) -> None:
    model = "random_cut_forest_endpoint"
    log = f"  - {{name: shop, source: kafka:shop, model: {model}, log: {{time: at, path: path}}}}\n"
    file.write_text(FILE + log)
    found = estimate("--stream", "shop", "--detectors", file)

    [hot, *_] = found["estimates"]
    [item] = [each for each in hot["items"] if each["item"] == "instances of the endpoint"]
    assert item["dollars"] == hot["services"]["SageMaker"] > 50
