"""The patches, and the MiniStack that they were written for."""

import tomllib
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest

from localaws.ministack_patches import patching
from localaws.ministack_patches.physical_names import cut
from localaws.ministack_patches.stack_resources import WatchedProperties


def test_the_installed_ministack_is_the_patched_one() -> None:
    assert version("ministack") == patching.PATCHED_VERSION


def test_the_project_asks_for_the_patched_ministack() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    (required,) = [name for name in project["dependencies"] if name.startswith("ministack")]
    assert required == f"ministack=={patching.PATCHED_VERSION}"


def test_patches_are_undone_in_reverse() -> None:
    module = SimpleNamespace(__name__="ministack.services.s3", name=lambda: "upstream")
    patches = patching.Patches()
    patches.replace(module, "name", lambda: "first")
    original = patches.replace(module, "name", lambda: "second")
    assert patches.names == {"s3.name"}
    assert (module.name(), original()) == ("second", "first")
    patches.undo()
    assert module.name() == "upstream"


@pytest.mark.parametrize(
    ("room", "logical_id", "name"),
    [
        (
            51,
            "RoleOfTheFunctionThatSummarizes",
            "the-analytics-stack-of-ou-RoleOfTheFunctionThatSumm",
        ),
        (50, "bucketofalllogsofallfunctions", "the-analytics-stack-of-ou-bucketofalllogsofallfunc"),
        (53, "LogsOfAJob", "the-analytics-stack-of-ours-LogsOfAJob"),
    ],
)
def test_long_generated_names_are_cut_as_aws_cuts_them(
    room: int, logical_id: str, name: str
) -> None:
    assert cut("the-analytics-stack-of-ours", logical_id, room) == name


def test_properties_tell_which_of_them_nobody_looked_at() -> None:
    properties = WatchedProperties({"a": 1, "b": 2, "c": 3, "d": 4})
    assert properties["a"] == 1
    assert properties.get("b") == 2
    assert "c" in properties
    assert properties.ignored == ["d"]


def test_a_copy_of_properties_looks_at_all_of_them() -> None:
    for copied in (dict, lambda properties: {**properties}, lambda p: dict(p.items())):
        properties = WatchedProperties({"a": 1, "b": 2})
        assert copied(properties) == {"a": 1, "b": 2}
        assert properties.ignored == []
