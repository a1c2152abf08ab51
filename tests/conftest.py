"""What every test may ask for: the resolved stack and an AWS account on moto."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.account import Account
    from tests.support.stack import Stack

# The local AWS and moto take seconds to import, so only the fixtures that need them do.


@pytest.fixture(scope="session")
def stack() -> Stack:
    """The template with every parameter at its default."""
    from tests.support.stack import Stack  # noqa: PLC0415

    return Stack()


@pytest.fixture(scope="session")
def impatient_stack() -> Stack:
    """The template, but for the pauses between two looks at a job."""
    from tests.support.stack import Stack  # noqa: PLC0415

    return Stack(PollSeconds="0")


@pytest.fixture
def account(impatient_stack: Stack) -> Iterator[Account]:
    """An account of its own for each test, in which nothing is done that the template's roles do not allow."""
    from tests.support.account import open_account  # noqa: PLC0415

    with open_account(impatient_stack) as opened:
        yield opened
