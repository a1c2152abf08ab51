"""One deployment for consecutive tests that ask for the same, with nothing left in it of the test before.

A deployment and the start of each function take longer than what most tests do with them. Stacks, roles and warm
functions stay; everything that a test can see is put back. tests/workflow/conftest.py ends the sharing with a module.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields, replace
from typing import Any

from cutwatch.detectors.detector import Detector
from localaws import SageMakerBehaviour
from localaws.embedded_ministack import service
from tests.support import snapshots
from tests.support.fleet import FIRST_TRAINING, Fleet, fleet
from tests.support.snapshots import Snapshot

# What botocore neither repeats nor counts: clients are as they were before it.
_ORDINARY_ANSWERS = (
    None,
    "ConditionalCheckFailedException",
    "NoSuchKey",
    "ResourceInUse",
    "ValidationError",
    "ValidationException",
)


@dataclass
class _Shared:
    """A deployment, what it was asked for with, and what it held before its first test."""

    asked_for: object
    fleet: Fleet
    new: Snapshot
    closing: ExitStack

    def renewed(self) -> Fleet:
        aws = self.fleet.aws
        if any(call.error_code not in _ORDINARY_ANSWERS for call in aws.calls):
            # botocore's clients send less after errors, by a clock that is now put back.
            aws.cool_down()
        service("stepfunctions")._executions.clear()
        aws.faults.clear()
        _reset(aws.sagemaker)
        snapshots.put_back(aws, self.new)
        aws.calls.clear()
        aws.mails._kept.clear()
        aws.clock.move_to(FIRST_TRAINING)
        return replace(self.fleet)


_open: list[_Shared] = []


@contextmanager
def shared_fleet(
    detectors: Sequence[Detector], *, region: str = "us-east-1", **parameters: str
) -> Iterator[Fleet]:
    """As `fleet`, which deploys anew, for tests that change neither stacks nor roles."""
    asked_for = (list(detectors), region, parameters)
    if not _open or _open[0].asked_for != asked_for:
        end_sharing()
        _deploy(asked_for, detectors, region, parameters)
    try:
        yield _open[0].renewed()
    except BaseException:
        # What a failed test leaves running must not disturb the next.
        end_sharing()
        raise


def end_sharing() -> None:
    """Stop the local AWS that is shared, if there is one."""
    while _open:
        _open.pop().closing.close()


def _deploy(
    asked_for: object, detectors: Sequence[Detector], region: str, parameters: dict[str, str]
) -> None:
    with ExitStack() as closing:
        deployed = closing.enter_context(fleet(detectors, region=region, **parameters))
        new = snapshots.take(deployed.aws)
        _open.append(_Shared(asked_for, deployed, new, closing.pop_all()))


def _reset(behaviour: Any) -> None:
    behaviour.forget()
    for field in fields(SageMakerBehaviour):
        if not field.name.startswith("_"):
            setattr(behaviour, field.name, getattr(SageMakerBehaviour(), field.name))
