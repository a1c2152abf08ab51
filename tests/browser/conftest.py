"""The browser that all tests of pages share."""

import os
from collections.abc import Iterator

import pytest

from tests.support.chromium import WIDE, Browser, NoChromium, chromium


@pytest.fixture(scope="session")
def _chromium() -> Iterator[Browser]:
    """Without Chromium these tests are skipped, but never in CI."""
    try:
        with chromium() as browser:
            yield browser
    except NoChromium as missing:
        if os.environ.get("CI"):
            pytest.fail(str(missing))
        pytest.skip(str(missing))


@pytest.fixture
def browser(_chromium: Browser) -> Browser:
    """A wide window in a light room in Greenwich, whatever the test before made of it."""
    _chromium.resize(WIDE)
    _chromium.prefer("light")
    _chromium.live_in("UTC")
    return _chromium
