"""The patches, and the MiniStack that they were written for."""

import tomllib
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest

from localaws import LocalAws
from localaws.embedded_ministack import service
from localaws.ministack_patches import patching
from localaws.ministack_patches.stack_resources import WatchedProperties
from localaws.ministack_patches.upstream import UPSTREAM


def test_the_installed_ministack_is_the_patched_one() -> None:
    assert version("ministack") == patching.PATCHED_VERSION


def test_the_project_asks_for_the_patched_ministack() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    (required,) = [name for name in project["dependencies"] if name.startswith("ministack")]
    assert required == f"ministack=={patching.PATCHED_VERSION}"


def test_another_ministack_is_refused_in_one_sentence_that_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patching, "version", lambda _: "9.9.9")
    with pytest.raises(RuntimeError) as refused, LocalAws():
        pass
    message = str(refused.value)
    assert message.startswith("ministack 9.9.9 is installed, but")
    assert f"run `pip install ministack=={patching.PATCHED_VERSION}`, or" in message
    assert message.count(". ") == 0
    assert "\n" not in message


def test_every_patch_says_what_ministack_does_without_it() -> None:
    with LocalAws() as aws:
        aws.client("cloudformation").list_stacks()
        assert aws._patches is not None
        assert aws._patches.names == UPSTREAM.keys()
    assert all(len(behaviour) > len("asks no") for behaviour in UPSTREAM.values())


def test_what_is_patched_is_ministacks_again_once_the_local_aws_has_stopped() -> None:
    with LocalAws() as aws:
        aws.client("cloudformation").list_stacks()
    for patched in UPSTREAM:
        module, _, name = patched.rpartition(".")
        restored = getattr(service(module), name)
        assert not getattr(restored, "__module__", "").startswith("localaws."), patched


def test_patches_are_undone_in_reverse() -> None:
    module = SimpleNamespace(__name__="ministack.services.s3", name=lambda: "upstream")
    patches = patching.Patches()
    patches.replace(module, "name", lambda: "first")
    original = patches.replace(module, "name", lambda: "second")
    assert patches.names == {"s3.name"}
    assert (module.name(), original()) == ("second", "first")
    patches.undo()
    assert module.name() == "upstream"


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
