"""The browser notices what the tests of pages rely on."""

from pathlib import Path

import pytest

from tests.support.chromium import Browser

pytestmark = pytest.mark.browser


def page(folder: Path, body: str) -> Path:
    path = folder / "page.html"
    path.write_text(f"<!doctype html><title>A page</title><link rel=icon href=data:,>{body}")
    return path


def test_a_quiet_page_asks_for_itself_alone(browser: Browser, tmp_path: Path) -> None:
    quiet = page(tmp_path, "<p>Hello</p>")

    browser.open(quiet)

    assert browser.driver.title == "A page"
    assert browser.requests() == [quiet.as_uri()]
    assert browser.console() == []


def test_a_request_is_noticed_even_if_it_fails(browser: Browser, tmp_path: Path) -> None:
    browser.open(page(tmp_path, "<img src=nowhere.png>"))

    assert [url.rpartition("/")[2] for url in browser.requests()] == ["page.html", "nowhere.png"]


def test_an_uncaught_exception_is_noticed(browser: Browser, tmp_path: Path) -> None:
    browser.open(page(tmp_path, "<script>throw new Error('lost its head')</script>"))

    (message,) = browser.console()
    assert "lost its head" in message


def test_a_page_without_scripts_is_still_asked_what_it_shows(
    browser: Browser, tmp_path: Path
) -> None:
    with browser.without_scripts():
        browser.open(page(tmp_path, "<script>document.title = 'Scripts ran'</script>"))
        assert browser.driver.title == "A page"
