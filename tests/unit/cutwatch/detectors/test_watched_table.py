"""Declarations of watched tables, and what is wrong with them."""

import pytest

from cutwatch.detectors.detectors_file import parse_configuration
from cutwatch.detectors.watched_table import growing_columns
from cutwatch.errors import InvalidDetectors, InvalidSetting
from tests.support.watched_tables import watched

TEXT = """
tables:
  - name: taxi
    source: arn:aws:dynamodb:eu-west-1:123456789012:table/rides
    values: [ridecount]
    key: city
"""


def test_a_list_of_values_names_columns_and_attributes() -> None:
    [table] = parse_configuration(TEXT).tables
    assert table.values == {"ridecount": "ridecount"}
    assert (table.table_name, table.columns) == ("rides", ("ridecount",))
    assert parse_configuration(TEXT).warnings == ()


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ("source: arn:aws:dynamodb", "source: arn:aws:kinesis", "source: .* is not the name of a DynamoDB table"),
        ("[ridecount]", "[city]", "'city' is the key 'city', and an identifier says nothing"),
        ("[ridecount]", "{1a: ridecount}", "'1a' must be 1 to 64"),
        ("name: taxi", "name: taxi\n    vaules: 1", "vaules: is not a field.*did you mean 'values'"),
    ],
)  # fmt: skip
def test_mistakes_name_table_and_field(before: str, after: str, reason: str) -> None:
    with pytest.raises(InvalidDetectors, match=f"(?s)table .*{reason}"):
        parse_configuration(TEXT.replace(before, after))


def test_names_are_used_once_in_all_sections() -> None:
    with pytest.raises(InvalidDetectors, match="used more than once"):
        parse_configuration(TEXT + TEXT.replace("tables:\n", ""))


@pytest.mark.parametrize(
    "attribute", ["transaction_id", "orderId", "created_at", "version", "TTL", "seq"]
)
def test_attributes_whose_names_say_that_they_only_grow_are_warned_of(attribute: str) -> None:
    assert growing_columns(watched(values={"x": attribute})) == ["x"]
    assert growing_columns(watched(values={"x": attribute}, allow_identifiers=True)) == []
    [warning] = parse_configuration(TEXT.replace("[ridecount]", f"[{attribute}]")).warnings
    assert "only grows" in warning


@pytest.mark.parametrize(
    "attribute", ["ridecount", "width", "paid", "grid", "idle_seconds", "price"]
)
def test_other_attributes_are_not(attribute: str) -> None:
    assert growing_columns(watched(values={"x": attribute})) == []


FOREST = TEXT + "    engine: forest\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (TEXT + "    forest: {trees: 30}\n", "forest: belongs to engine: forest"),
        (TEXT + "    changes_per_day: 5\n", "changes_per_day: belongs to engine: forest"),
        (FOREST + "    cutoff: {sigmas: 4}\n", "cutoff: belongs to engine: endpoint"),
        (FOREST + "    forest: {shingle_size: 4}\n", "forest.shingle_size: 4 needs rows in their order"),
        (FOREST + "    keys: {limit: 3}\n    changes_per_day: 3000001\n", "changes_per_day: 3000001 is more than 3000000, the room in the state of 3 forests; declare"),
        (FOREST.replace("    key: city\n", "") + "    changes_per_day: 1000001\n", "1000001 is more than 1000000, the room in the state of 1 forest; declare"),
        (TEXT + "    engine: random\n", "engine: .*endpoint.*forest"),
    ],
)  # fmt: skip
def test_settings_of_the_other_engine_and_more_changes_than_can_be_told_apart_are_refused(
    text: str, reason: str
) -> None:
    with pytest.raises(InvalidDetectors, match=f"(?s){reason}"):
        parse_configuration(text)


def test_a_table_whose_attributes_have_any_name_is_a_stream() -> None:
    table = watched(engine="forest", values={"a": "ride count", "b": "x-y"}, key="city.name")
    stream = table.as_stream
    assert stream.columns == ("a", "b")
    assert stream.fingerprint != watched(engine="forest", values={"a": "x", "b": "x-y"}).as_stream.fingerprint  # fmt: skip


def test_a_model_depends_on_attributes_and_their_order_only() -> None:
    two = watched(values={"a": "x", "b": "y"})
    assert two.fingerprint != watched(values={"b": "y", "a": "x"}).fingerprint
    assert two.fingerprint != watched(values={"a": "x", "b": "z"}).fingerprint
    assert two.fingerprint == watched(values={"a": "x", "b": "y"}, sensitivity="low").fingerprint


def test_a_table_that_is_not_declared_is_named() -> None:
    with pytest.raises(
        InvalidSetting, match=r"'bus', which is not declared; the tables in detectors\.yaml: taxi"
    ):
        parse_configuration(TEXT).table("bus")
