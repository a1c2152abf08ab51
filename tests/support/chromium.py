"""Headless Chromium that opens pages from disk and remembers what they logged and asked of the network."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.wait import WebDriverWait

WIDE, NARROW, PHONE = (1280, 900), (400, 800), (360, 740)
_PROGRAMS = ("chromium", "chromedriver")
_WAIT_SECONDS = 120.0


class NoChromium(Exception):
    """Which program is missing, and how it is installed."""


@dataclass
class Browser:
    """A tab. Logs are those of the page that was opened last."""

    driver: Chrome
    _requests: list[str] = field(default_factory=list)
    _console: list[str] = field(default_factory=list)

    def open(self, page: Path, fragment: str = "") -> None:
        """Load a file and wait until its scripts have run."""
        self.driver.get("about:blank")
        self._collect()
        self._requests.clear()
        self._console.clear()
        self.driver.get(page.resolve().as_uri() + fragment)
        self.until("document.readyState === 'complete'")

    def requests(self) -> list[str]:
        """Every URL that was asked for, also in vain; the page's own is the first."""
        self._collect()
        return list(self._requests)

    def console(self) -> list[str]:
        """Warnings, errors, uncaught exceptions and violated content security policies."""
        self._collect()
        return list(self._console)

    def run(self, script: str, *arguments: Any) -> Any:
        """What a function with this body returns."""
        return self.driver.execute_script(script, *arguments)

    def until(self, condition: str) -> None:
        """Wait until an expression is true of the page; `TimeoutException` names it."""
        WebDriverWait(self.driver, _WAIT_SECONDS, poll_frequency=0.02).until(
            lambda driver: driver.execute_script(f"return {condition}"), condition
        )

    def resize(self, size: tuple[int, int]) -> None:
        """Width and height of what is seen of the page."""
        width, height = size
        self._devtools(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
        )

    def prefer(self, scheme: Literal["light", "dark"]) -> None:
        """What the system says of its colours."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self._devtools("Emulation.setEmulatedMedia", {"media": "", "features": features})

    def media(self, name: Literal["screen", "print"]) -> None:
        """What the page is shown on; `prefer` makes it a screen again."""
        self._devtools("Emulation.setEmulatedMedia", {"media": name, "features": []})

    def live_in(self, time_zone: str) -> None:
        """The time zone of whoever looks at the page."""
        self._devtools("Emulation.setTimezoneOverride", {"timezoneId": time_zone})

    @contextmanager
    def without_scripts(self) -> Iterator[None]:
        """As for somebody who has switched JavaScript off."""
        self._devtools("Emulation.setScriptExecutionDisabled", {"value": True})
        try:
            yield
        finally:
            self._devtools("Emulation.setScriptExecutionDisabled", {"value": False})

    def printed(self) -> str:
        """The page as PDF, in base64."""
        return str(self.driver.print_page())

    def screenshot(self, *, whole: bool = False) -> str:
        """A PNG in base64, of what is seen or of the whole page."""
        options = {"format": "png", "captureBeyondViewport": whole}
        return str(self._devtools("Page.captureScreenshot", options)["data"])

    def _devtools(self, command: str, parameters: dict[str, Any]) -> Any:
        return self.driver.execute_cdp_cmd(command, parameters)

    def _collect(self) -> None:
        driver: Any = self.driver  # Selenium ships no types for its logs
        for entry in driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                self._requests.append(message["params"]["request"]["url"])
        self._console += [
            entry["message"]
            for entry in driver.get_log("browser")
            if entry["level"] in ("WARNING", "SEVERE")
        ]


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium without a window; raises `NoChromium` where it is not installed."""
    programs = {name: shutil.which(name) for name in _PROGRAMS}
    for name, path in programs.items():
        if path is None:
            raise NoChromium(f"no {name} here (Debian: apt-get install chromium chromium-driver)")
    options = ChromeOptions()
    options.binary_location = str(programs["chromium"])
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    for argument in _arguments():
        options.add_argument(argument)
    driver = Chrome(options, Service(str(programs["chromedriver"])))
    try:
        browser = Browser(driver)
        browser.resize(WIDE)
        yield browser
    finally:
        driver.quit()


def _arguments() -> Iterator[str]:
    yield from ("--headless=new", "--hide-scrollbars", "--force-color-profile=srgb")
    yield "--disable-dev-shm-usage"  # containers have little of it
    if os.geteuid() == 0:
        yield "--no-sandbox"  # Chromium's sandbox refuses to work for root
