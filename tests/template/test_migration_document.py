"""The entries and records in docs/migrating.md are valid, and its table has every parameter of the function."""

import json
import re
from dataclasses import fields

import pytest

from cutwatch.detectors.detectors_file import parse_configuration
from cutwatch.detectors.stream import ForestSettings, Stream
from cutwatch.streams.record import RawRecord
from tests.support.project import PROJECT
from tests.support.streams import score_records

TEXT = (PROJECT / "docs" / "migrating.md").read_text()
NOW = 1_800_000_000.0


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def streams() -> list[Stream]:
    return [stream for text in blocks("yaml") for stream in parse_configuration(text).streams]


def test_there_are_two_examples_each_with_sql_an_entry_and_a_record() -> None:
    assert [stream.name for stream in streams()] == ["vitals", "machines"]
    assert len(blocks("sql")) == len(blocks("json")) == 2


@pytest.mark.parametrize("number", [0, 1])
def test_the_record_of_an_example_is_scored_by_its_entry(number: int) -> None:
    record = RawRecord(blocks("json")[number].encode(), "0", 1, NOW)
    result = score_records(streams()[number], [record])
    assert (result.accepted, result.rejected) == (1, [])


def test_the_parameters_in_sql_are_those_of_the_entry() -> None:
    for stream, text in zip(streams(), blocks("sql"), strict=True):
        call = text[text.index("RANDOM_CUT_FOREST") :]
        numbers = re.findall(r"\), (\d+), (\d+), (\d+), (\d+)", call)
        forest = stream.forest
        assert numbers == [tuple(str(each) for each in (forest.trees, forest.sample_size, forest.time_decay, forest.shingle_size))]  # fmt: skip
        assert forest.directionality == (", true)" in call)


def test_every_parameter_of_the_forest_is_in_the_table() -> None:
    rows = re.findall(r"^\| `\w+` \| `forest\.(\w+)`", TEXT, re.MULTILINE)
    assert rows == [each.name for each in fields(ForestSettings)]


def test_every_short_entry_in_the_tables_is_valid() -> None:
    """Windows and rules that the tables write in braces are completed with what every entry needs."""
    found = re.findall(r"`(window|notify): (\{[^}]*\})", TEXT)
    assert len(found) >= 6
    for name, braces in found:
        written = re.sub(r"\bx\b", "3", braces).replace(" n,", " 3,").replace(" seconds,", " 60,")
        if name == "window":
            written = written.replace("}", ", statistics: [count]}")
        text = f"streams: [{{name: a, source: a, record: {{time: t, values: [x]}}, {name}: {written}}}]"
        assert len(parse_configuration(text).streams) == 1, json.dumps(text)
