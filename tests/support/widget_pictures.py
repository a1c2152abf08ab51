"""The pictures of the widget in the documents.

PYTHONPATH=functions:. .venv/bin/python -m tests.support.widget_pictures    # takes them anew
"""

import base64
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from tests.support.chromium import chromium
from tests.support.project import PROJECT
from tests.support.widgets import eventful_dashboard, page

PICTURES: Mapping[Literal["light", "dark"], Path] = {
    "light": PROJECT / "docs" / "images" / "widget.png",
    "dark": PROJECT / "docs" / "images" / "widget-dark.png",
}
_WIDTH, _HEIGHT = 1000, 440


def take_pictures() -> None:
    """Of the deployed function's answer, as the console would frame it."""
    with eventful_dashboard() as looked_at, chromium() as browser, TemporaryDirectory() as folder:
        for theme, picture in PICTURES.items():
            drawn = looked_at.draw("checkout", width=_WIDTH, height=_HEIGHT, theme=theme)
            shown = Path(folder) / "dashboard.html"
            shown.write_text(page(drawn, _WIDTH, theme), encoding="utf-8")
            browser.resize((_WIDTH, _HEIGHT))
            browser.open(shown)
            picture.write_bytes(base64.b64decode(browser.screenshot()))


if __name__ == "__main__":
    take_pictures()
