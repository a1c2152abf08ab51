"""Fixtures that integration tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.operated_streams import OperatedStream


@pytest.fixture
def sensors() -> Iterator[OperatedStream]:
    """An account on moto in which a stack has the stream `sensors`."""
    from tests.support.operated_streams import operated_stream  # noqa: PLC0415 - moto takes seconds

    with operated_stream() as operated:
        yield operated
