"""The patches of MiniStack while a local AWS runs, and afterwards."""

import pytest

from localaws import LocalAws
from localaws.embedded_ministack import service
from localaws.ministack_patches import patching
from localaws.ministack_patches.upstream import UPSTREAM


@pytest.fixture(autouse=True)
def _forget() -> None:
    """These tests start local AWSs of their own."""


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
