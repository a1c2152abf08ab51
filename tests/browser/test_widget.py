"""The custom widget in a browser, in a page like the console's: light and dark, narrow and wide."""

import base64
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pytest

from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.registry.event_record import RecordedEvent
from cutwatch.timestamps import format_timestamp
from tests.support.chromium import Browser
from tests.support.widget_pictures import PICTURES
from tests.support.widgets import LAST_TRANSFORM, NOW, Dashboard, eventful_dashboard, page

pytestmark = pytest.mark.browser

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
WIDTHS = (360, 800, 1200)
HOSTILE = "<script>document.title='run'</script><img src=x onerror=\"document.title='run'\">"

# Boxes of all texts of the picture, by what they say.
TEXTS = """
return [...document.querySelectorAll('svg text')].map(text => {
  const box = text.getBoundingClientRect();
  return [text.textContent, box.left, box.top, box.right, box.bottom];
});
"""
# Whatever of the picture is drawn beyond its edges, half a pixel of a stroke aside.
OUTSIDE = """
const frame = document.querySelector('svg').getBoundingClientRect();
return [...document.querySelectorAll('svg line, svg rect, svg path, svg text')]
  .filter(mark => !mark.closest('pattern'))
  .map(mark => [mark.outerHTML.slice(0, 200), mark.getBoundingClientRect()])
  .filter(([, box]) => box.left < frame.left - 1 || box.right > frame.right + 1
    || box.top < frame.top - 1 || box.bottom > frame.bottom + 1)
  .map(([html]) => html);
"""
# Cells whose text is wider than they are, or that lie beside the widget.
CUT_OFF = """
const widget = document.querySelector('.widget').getBoundingClientRect();
return [...document.querySelectorAll('th, td, p')].filter(cell => {
  const box = cell.getBoundingClientRect();
  return box.width && (cell.scrollWidth > cell.clientWidth + 1 || box.right > widget.right + 1);
}).map(cell => cell.textContent);
"""
# The contrast of each text with the page, as WCAG counts it.
CONTRASTS = """
const channel = c => { c /= 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
const light = colour => {
  const [r, g, b] = colour.match(/\\d+/g).map(Number).map(channel);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const page = light(getComputedStyle(document.body).backgroundColor);
return [...document.querySelectorAll('p, td, th, caption, a, small, svg text')]
  .filter(each => !each.closest('cwdb-action') && each.textContent.trim())
  .filter(each => !(each.previousElementSibling?.getAttribute('rx')))
  .map(each => {
    const style = getComputedStyle(each);
    const own = light(each.tagName === 'text' ? style.fill : style.color);
    return [each.textContent, (Math.max(own, page) + 0.05) / (Math.min(own, page) + 0.05)];
  });
"""


@pytest.fixture(scope="module")
def dashboard() -> Iterator[Dashboard]:
    with eventful_dashboard() as looked_at:
        for number in range(3):
            start = LAST_TRANSFORM - timedelta(hours=30 - number / 4)
            record(looked_at, HOSTILE, start, start + timedelta(minutes=5))
        yield looked_at


def record(dashboard: Dashboard, name: str, start: Any, end: Any) -> None:
    begins, ends = format_timestamp(start), format_timestamp(end)
    event = AnomalyEvent(f"{name}:{begins}", begins, ends, begins, 2, 1.6, 2.0, 1.0, 5.0, 4.0, 6.0)
    dashboard.shop.registry.events.record([RecordedEvent(name, event, "transform-1")], NOW)


# The theme has no part in where things are.
@pytest.fixture(
    scope="module", params=[*(("light", width) for width in WIDTHS), ("dark", 800)], ids=str
)
def size(request: pytest.FixtureRequest) -> tuple[Theme, int]:
    chosen: tuple[Theme, int] = request.param
    return chosen


def show(browser: Browser, folder: Path, drawn: str, width: int, theme: Theme) -> None:
    shown = folder / "dashboard.html"
    shown.write_text(page(drawn, width, theme), encoding="utf-8")
    browser.resize((width, 900))
    browser.prefer(theme)
    browser.open(shown)


@pytest.fixture(scope="module")
def opened(
    dashboard: Dashboard,
    _chromium: Browser,
    size: tuple[Theme, int],
    tmp_path_factory: pytest.TempPathFactory,
) -> Browser:
    """Opened once for all tests of a size, which only look at it."""
    theme, width = size
    drawn = dashboard.draw("checkout", width=width, height=480, theme=theme)
    _chromium.live_in("UTC")
    show(_chromium, tmp_path_factory.mktemp("widget"), drawn, width, theme)
    return _chromium


@pytest.mark.slow
def test_nothing_is_complained_of_and_nothing_is_fetched(opened: Browser) -> None:
    assert opened.console() == []
    assert len(opened.requests()) == 1


def test_every_mark_lies_inside_of_the_picture(opened: Browser) -> None:
    assert opened.run("return document.querySelectorAll('svg path').length") >= 2
    assert opened.run(OUTSIDE) == []


def test_no_text_of_the_picture_lies_over_another(opened: Browser) -> None:
    texts = opened.run(TEXTS)
    assert {"anomaly score; the dotted part follows", "1", "2", "3"} <= {text for text, *_ in texts}
    for number, (text, left, top, right, bottom) in enumerate(texts):
        for other, left2, top2, right2, bottom2 in texts[number + 1 :]:
            apart = right <= left2 or right2 <= left or bottom <= top2 or bottom2 <= top
            assert apart, (text, other)


def test_the_table_and_the_texts_fit_the_widget(opened: Browser) -> None:
    assert opened.run(CUT_OFF) == []
    assert opened.run("return document.documentElement.scrollWidth <= innerWidth")


def test_the_picture_is_as_wide_as_the_widget(opened: Browser, size: tuple[Theme, int]) -> None:
    width = opened.run("return document.querySelector('svg').getBoundingClientRect().width")
    assert width == size[1]


def test_every_text_can_be_read_on_its_background(opened: Browser) -> None:
    contrasts = opened.run(CONTRASTS)
    assert len(contrasts) > 20
    assert [(text, ratio) for text, ratio in contrasts if ratio < 4.5] == []


def test_screen_readers_find_a_name_a_description_and_headers(opened: Browser) -> None:
    assert opened.run("return document.querySelector('svg').ariaLabelledByElements.length") == 2
    assert opened.run("return document.querySelectorAll('td').length") >= 15
    assert opened.run("return [...document.querySelectorAll('thead th')].every(h => h.scope)")


@pytest.mark.parametrize("name", [None, HOSTILE])
def test_a_name_that_is_markup_is_shown_as_text_and_runs_nothing(
    dashboard: Dashboard, browser: Browser, tmp_path: Path, name: str | None
) -> None:
    drawn = dashboard.draw(name, width=800, height=480, theme="light")
    show(browser, tmp_path, drawn, 800, "light")
    assert "<script>document.title" in browser.run("return document.body.innerText")
    assert browser.run("return document.title") == "Dashboard"
    assert (
        browser.run("return document.querySelectorAll('script, img, .widget [onerror]').length")
        == 0
    )
    assert browser.console() == []
    assert browser.run(CUT_OFF) == []


@pytest.mark.parametrize("theme", THEMES)
def test_the_documents_have_pictures_of_it(theme: Theme) -> None:
    """`python -m tests.support.widget_pictures` makes them anew."""
    picture = PICTURES[theme].read_bytes()
    assert picture.startswith(base64.b64decode("iVBORw0KGgo="))
    assert len(picture) < 200_000
