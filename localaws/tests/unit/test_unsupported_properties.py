"""Which properties a provisioner can know, found in its code."""

from types import FunctionType
from typing import Any

import pytest

from localaws.ministack_patches.unsupported_properties import properties_read_by

SOURCE = """
TABLE = (("Versioning", None), ("Website", ("Index",)))

def inner(properties):
    return [properties.get(name) for name, _ in TABLE]

def create(logical_id, properties, stack):
    return properties["Name"], inner(properties), (lambda: properties.get("Tags"))()

def copy(logical_id, properties, stack):
    return {key: value for key, value in properties.items()}

def foreign(logical_id, properties, stack):
    return ours(logical_id, properties, stack)
"""


@pytest.fixture
def provisioners() -> dict[str, Any]:
    """Functions that seem to be MiniStack's."""
    scope: dict[str, Any] = {"__name__": "ministack.provisioners"}
    exec(SOURCE, scope)
    return scope


def test_names_in_the_code_and_in_what_it_calls_and_reads_are_found(
    provisioners: dict[str, Any],
) -> None:
    read = properties_read_by(provisioners["create"])
    assert read is not None
    assert read >= {"Name", "Tags", "Versioning", "Website"}
    assert "Encryption" not in read


def test_a_provisioner_that_copies_all_properties_may_know_any(
    provisioners: dict[str, Any],
) -> None:
    assert properties_read_by(provisioners["copy"]) is None


def test_a_provisioner_that_hands_on_to_a_patch_may_know_any(
    provisioners: dict[str, Any],
) -> None:
    class Patch:
        def put(self, *_: Any) -> None: ...

    provisioners["ours"] = Patch().put
    assert properties_read_by(provisioners["foreign"]) is None


def test_a_type_without_a_provisioner_is_not_judged() -> None:
    assert properties_read_by(None) is None


def test_functions_of_other_packages_are_not_searched(provisioners: dict[str, Any]) -> None:
    def other() -> str:
        return "Encryption"

    assert isinstance(other, FunctionType)
    provisioners["ours"] = other
    read = properties_read_by(provisioners["foreign"])
    assert read is not None
    assert "Encryption" not in read
