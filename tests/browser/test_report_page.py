"""The report's page, as a person uses it with the mouse and with the keyboard."""

import math
import re
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from cutwatch_cli.report import Page, report_page, write_page
from cutwatch_cli.report.colours import DARK, LIGHT
from cutwatch_cli.report.detector_report import Expected
from tests.support.chromium import NARROW, PHONE, Browser
from tests.support.sample_reports import (
    HOSTILE,
    PERIOD,
    START,
    event,
    nine_weeks,
    page_of,
    report_of,
)

pytestmark = pytest.mark.browser

DRAWN = "document.querySelectorAll('.chart.drawn .uplot').length === 2 * {}"
# Chromium warns of a canvas that is read, so a copy is.
COPIED = """
function copied(canvas) {
  const copy = document.createElement("canvas");
  [copy.width, copy.height] = [canvas.width, canvas.height];
  const context = copy.getContext("2d", { willReadFrequently: true });
  context.drawImage(canvas, 0, 0);
  return context;
}
"""
# How many pixels of a plot have a colour, given as r, g, b.
PIXELS = """
const [number, panel, colour] = arguments;
const canvas = document.querySelectorAll(`#d${number} canvas`)[panel];
const data = copied(canvas).getImageData(0, 0, canvas.width, canvas.height).data;
let found = 0;
for (let at = 0; at < data.length; at += 4)
  if (colour.every((part, place) => Math.abs(data[at + place] - part) < 12) && data[at + 3] > 200) found++;
return found;
"""


def channels(colour: str) -> list[int]:
    return [int(colour[place : place + 2], 16) for place in (1, 3, 5)]


METRIC, ANOMALY, SCORE, PLANTED = (
    channels(LIGHT[name]) for name in ("metric", "anomaly", "score", "planted")
)
METRIC_DARK = channels(DARK["metric"])
EXPECTED = channels(LIGHT["expected-line"])
# Texts that are wider or higher than the box they are in, or outside of the window.
CLIPPED = """
const cut = (e) => e.tagName !== "text" && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline";
return [...document.querySelectorAll("h1, h2, p, dt, dd, li, td, th, button, caption, output, .outline text")]
  .filter((e) => e.checkVisibility() && e.textContent.trim() && !e.closest(".spoken, .cards thead"))
  .filter((e) => { const box = e.getBoundingClientRect(); return cut(e) || box.left < -1 || box.right > innerWidth + 1; })
  .map((e) => e.textContent);
"""
# Texts with a contrast below 4.5 to 1, as WCAG counts it; of a picture, the fill.
FAINT = """
const channel = (c) => { c /= 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
const light = (colour) => {
  const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).map(channel);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ground = (e) => {
  for (let each = e; each; each = each.parentElement) {
    const colour = getComputedStyle(each).backgroundColor;
    if (!/, 0\\)$|transparent/.test(colour)) return light(colour);
  }
};
const texts = [...document.querySelectorAll("h1, h2, p, dt, dd, li, td, th, a, button, caption, .outline text")];
const shown = texts.filter((e) => e.checkVisibility() && e.textContent.trim());
window.compared = shown.length;
return shown.map((e) => {
  const style = getComputedStyle(e);
  const [own, behind] = [light(e.tagName === "text" ? style.fill : style.color), ground(e)];
  return [e.textContent, (Math.max(own, behind) + 0.05) / (Math.min(own, behind) + 0.05)];
}).filter(([, contrast]) => contrast < 4.5);
"""

# Elements that a selector finds and a person sees.
SHOWN = """[...document.querySelectorAll(arguments[0])].filter((e) => {
  const { width, height } = e.getBoundingClientRect();
  return width + height > 0 && e.checkVisibility({ visibilityProperty: true, opacityProperty: true });
})"""

WHATEVER: dict[str, dict[str, Any]] = {
    "one datapoint": {"count": 1},
    "no data": {"values": [math.nan] * 200},
    "nothing but zero": {"values": [0.0] * 200},
    "tiny and negative": {"values": [-1e-7] * 200},
    "large with gaps": {"values": [math.nan if at % 3 else 1e12 for at in range(200)]},
    "no model": {"scores": [math.nan] * 200, "cutoffs": [], "expected": None, "trained_until": []},
    "a cutoff of zero": {"scores": [0.0] * 200, "cutoffs": [(START, 0.0)]},
    "events beyond the edges": {"events": [event(-300, -250), event(150, 900)]},
    "silence": {"events": [event(10, 60, None)]},
    "days": {"period_seconds": 86_400, "time_zone": "America/Sao_Paulo"},
}


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> "Opened":
    return Opened(browser, tmp_path / "report.html")


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of eight detectors of nine weeks, of which a window shows one or two."""
    path = tmp_path_factory.mktemp("many") / "report.html"
    write_page(page_of(*(nine_weeks(number) for number in range(8))), path)
    return path


class Opened:
    """A page in the browser; in the end it has complained of nothing, and asked for nothing but itself."""

    def __init__(self, browser: Browser, path: Path) -> None:
        self.browser = browser
        self.path = path

    def show(self, page: Page, fragment: str = "#d1") -> None:
        write_page(page, self.path)
        self.browser.open(self.path, fragment)

    def show_file(self, path: Path, fragment: str = "#d1") -> None:
        self.path = path
        self.browser.open(path, fragment)

    def show_chart(self, page: Page) -> None:
        self.show(page)
        self.browser.until("document.querySelector('#d1 .chart.drawn')")

    def find(self, selector: str) -> WebElement:
        return self.browser.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list[WebElement]:
        return self.browser.driver.find_elements(By.CSS_SELECTOR, selector)

    def press(self, *keys: str) -> None:
        """While the first chart has the focus."""
        self.find("#d1 .chart").send_keys(*keys)

    def view(self) -> tuple[float, float]:
        """In positions of the first detector."""
        host = self.find("#d1 .chart")
        seconds = [float(str(host.get_attribute(f"data-{name}"))) for name in ("from", "to")]
        first, last = ((each - START.timestamp()) / PERIOD.total_seconds() for each in seconds)
        return first, last

    def pixels(self, panel: int, colour: list[int], number: int = 1) -> int:
        return int(self.browser.run(COPIED + PIXELS, number, panel, colour))

    def assert_quiet(self) -> None:
        assert self.browser.console() == []
        assert [url.partition("#")[0] for url in self.browser.requests()] == [self.path.as_uri()]


def eventful() -> Page:
    return page_of(
        report_of(
            [40, 41, 42, 120],
            events=[event(40, 42), event(120, 120, 1.2)],
            planted=[(START + 35 * PERIOD, START + 60 * PERIOD, "spike")],
        )
    )


# It starts the browser.
@pytest.mark.slow
def test_a_chart_is_drawn_with_all_that_is_known(opened: Opened) -> None:
    opened.show_chart(eventful())

    assert opened.pixels(0, METRIC) > 500
    assert opened.pixels(0, ANOMALY) > 100
    assert opened.pixels(0, PLANTED) > 50
    assert opened.pixels(1, SCORE) > 200
    opened.assert_quiet()


@pytest.mark.slow
def test_a_chart_is_drawn_and_can_be_moved_whatever_is_known(opened: Opened) -> None:
    reports = [
        report_of(**{"anomalous": [0], "name": name.replace(" ", "-"), **fields})
        for name, fields in WHATEVER.items()
    ]
    opened.show(page_of(*reports), "")
    for number, report in enumerate(reports, 1):
        section = opened.find(f"#d{number}")
        opened.browser.run("arguments[0].scrollIntoView()", section)
        opened.browser.until(f"document.querySelector('#d{number} .chart.drawn')")
        keys = ("+", "n", "p", Keys.ARROW_LEFT, Keys.ARROW_RIGHT, "-", "0")
        opened.find(f"#d{number} .chart").send_keys(*keys)

        assert opened.find(f"#d{number} .view").text, report.detector
        assert "NaN" not in section.text, report.detector
        assert "Infinity" not in section.text, report.detector
        assert opened.browser.console() == [], report.detector
    opened.assert_quiet()


def test_a_time_zone_that_the_browser_does_not_know_is_told_as_utc(opened: Opened) -> None:
    write_page(page_of(report_of()), opened.path)
    text = opened.path.read_text().replace('"zone": "UTC"', '"zone": "Mars/Olympus"')
    opened.path.write_text(text)
    opened.browser.open(opened.path)
    opened.browser.until("document.querySelector('#d1 .chart.drawn')")

    assert opened.find("#d1 .view").text.startswith("Sun, 1 Mar 2026 00:00 UTC – ")


def test_where_the_data_cannot_be_unpacked_the_outline_stays(opened: Opened) -> None:
    write_page(page_of(report_of()), opened.path)
    kept = '<script type="text/plain" data-columns="1">'
    text = opened.path.read_text().replace(kept, f"{kept}AAAA")
    opened.path.write_text(text)
    opened.browser.open(opened.path)

    opened.browser.until("document.querySelector('.readout').textContent.includes('cannot unpack')")
    assert opened.find("#d1 .outline path.metric").is_displayed()
    assert opened.all(".uplot") == []


def test_a_peak_of_one_datapoint_in_nine_weeks_is_drawn_to_its_top(opened: Opened) -> None:
    opened.show_chart(page_of(nine_weeks(1)))

    top = """
      const canvas = document.querySelector("#d1 canvas");
      const { width, height } = canvas;
      const data = copied(canvas).getImageData(0, Math.round(height * 0.16), width, Math.round(height * 0.1)).data;
      const columns = new Set();
      for (let at = 0; at < data.length; at += 4)
        if (Math.abs(data[at] - 192) < 12 && Math.abs(data[at + 1] - 74) < 12 && data[at + 2] < 12)
          columns.add(Math.round(((at / 4) % width) / 20));
      return columns.size;
    """
    assert opened.browser.run(COPIED + top) >= 9
    opened.assert_quiet()


def test_the_keyboard_zooms_moves_and_shows_the_whole_again(opened: Opened) -> None:
    opened.show_chart(eventful())
    assert opened.view() == (0, 199)

    opened.press("+")
    assert opened.view() == pytest.approx((49.75, 149.25))
    opened.press(Keys.SHIFT, Keys.ARROW_RIGHT)
    assert opened.view() == pytest.approx((99.5, 199))
    opened.press("-")
    assert opened.view() == (0, 199)
    opened.press("+", "+", "0")
    assert opened.view() == (0, 199)
    opened.press("+", Keys.ESCAPE)
    assert opened.view() == (0, 199)


def test_the_keyboard_reads_one_datapoint_after_the_other(opened: Opened) -> None:
    opened.show_chart(eventful())
    opened.press("n")
    opened.press(Keys.ARROW_RIGHT)
    before = opened.find("#d1 .readout").text
    opened.press(Keys.ARROW_RIGHT)

    assert before.startswith("Sun, 1 Mar 2026 03:30 · value 1,042 · ")
    assert before.endswith(" · anomalous")
    spoken = opened.find("#d1 .spoken").get_attribute("textContent")
    assert spoken == opened.find("#d1 .readout").text
    assert spoken == (
        "Sun, 1 Mar 2026 03:35 · value 1,043 · expected 1,000 (950 to 1,060) · score 1.000 · cutoff 2.000"
    )


def test_events_are_walked_through_by_key_and_by_button(opened: Opened) -> None:
    opened.show_chart(eventful())
    opened.press("n")
    first = opened.view()
    assert first[0] < 40
    assert 43 < first[1] < 120
    opened.press("n")
    second = opened.view()
    assert first[1] < second[0] < 120 < second[1]
    opened.find("#d1 [data-do=previous]").click()
    assert opened.view() == first


def test_a_row_of_the_events_zooms_by_enter_and_by_click(opened: Opened) -> None:
    opened.show_chart(eventful())
    rows = opened.all("#d1 tr[data-event]")

    rows[1].find_element(By.TAG_NAME, "button").send_keys(Keys.ENTER)
    assert opened.view()[0] < 120 < opened.view()[1] < 160
    assert [row.get_attribute("aria-current") for row in rows] == [None, "true"]

    rows[0].find_elements(By.TAG_NAME, "td")[3].click()
    assert opened.view()[0] < 40 < opened.view()[1] < 100
    assert [row.get_attribute("aria-current") for row in rows] == ["true", None]
    opened.assert_quiet()


def test_a_link_into_the_console_is_followed_and_does_not_zoom(opened: Opened) -> None:
    opened.show_chart(page_of(report_of([40], events=[event(40, 40)], links=["#elsewhere"])))
    opened.browser.run("document.querySelector('#d1 .console a').target = '_self'")
    opened.find("#d1 .console a").click()

    assert opened.browser.driver.current_url.endswith("#elsewhere")
    assert opened.view() == (0, 199)


def test_dragging_zooms_both_plots_and_a_double_click_shows_the_whole(opened: Opened) -> None:
    opened.show_chart(eventful())
    plot = opened.find("#d1 .u-over")
    actions = ActionChains(opened.browser.driver)
    width = plot.size["width"]
    actions.move_to_element_with_offset(plot, -width // 4, 0).click_and_hold()
    actions.move_by_offset(width // 2, 0).release().perform()

    assert opened.view() == pytest.approx((50, 149), abs=2)
    ActionChains(opened.browser.driver).double_click(plot).perform()
    assert opened.view() == (0, 199)


def test_hovering_reads_the_values_in_the_time_zone_of_the_detector(opened: Opened) -> None:
    opened.browser.live_in("America/New_York")
    opened.show_chart(page_of(report_of(time_zone="Asia/Tokyo")))
    ActionChains(opened.browser.driver).move_to_element(opened.find("#d1 .u-over")).perform()

    assert re.fullmatch(
        r"Sun, 1 Mar 2026 17:[12]\d · value 1,(099|100) · expected 1,000 \(950 to 1,060\) · score 1\.000 · "
        r"cutoff 2\.000",
        opened.find("#d1 .readout").text,
    )
    assert opened.find("#d1 .view").text == "Sun, 1 Mar 2026 09:00 – Mon, 2 Mar 2026 01:35"


def test_the_index_sorts_by_mouse_and_keyboard_and_says_so(opened: Opened) -> None:
    loud = report_of(name="loud", events=[event(1, 1)])
    many = report_of(name="busy", events=[event(n, n, 1.1) for n in (1, 30, 60)])
    opened.show(page_of(report_of(name="calm"), many, loud), "")

    def order() -> list[str]:
        return [each.text for each in opened.all("#index tbody th")]

    def sorted_by() -> dict[str, str]:
        headings = opened.all("#index thead th")
        states = {
            each.text.split(" ")[0]: str(each.get_attribute("aria-sort")) for each in headings
        }
        return {name: state for name, state in states.items() if state != "none"}

    assert order() == ["loud", "busy", "calm"]
    assert sorted_by() == {"Worst": "descending"}
    buttons = opened.all("#index thead button")
    buttons[3].click()
    assert order() == ["busy", "loud", "calm"]
    assert sorted_by() == {"Events": "descending"}
    buttons[0].send_keys(Keys.ENTER)
    assert order() == ["busy", "calm", "loud"]
    buttons[0].send_keys(Keys.SPACE)
    assert order() == ["loud", "calm", "busy"]
    assert sorted_by() == {"Detector": "descending"}
    opened.assert_quiet()


def test_a_row_of_the_index_leads_to_its_section_and_the_chart_there_is_drawn(
    opened: Opened, many: Path
) -> None:
    opened.show_file(many, "")
    opened.all("#index tbody a")[6].click()

    opened.browser.until("document.querySelector('#d7 .chart.drawn')")
    assert opened.pixels(0, METRIC, 7) > 500


def test_the_colours_follow_the_system_until_the_switch_is_used(opened: Opened) -> None:
    opened.browser.prefer("dark")
    opened.show_chart(eventful())
    assert opened.pixels(0, METRIC_DARK) > 500

    switch = opened.find("#theme")
    assert switch.text == "Light theme"
    switch.send_keys(Keys.ENTER)
    assert switch.text == "Dark theme"
    assert opened.pixels(0, METRIC) > 500
    assert opened.pixels(0, METRIC_DARK) == 0
    background = opened.find("html").value_of_css_property("background-color")
    assert background == "rgba(255, 255, 255, 1)"
    opened.assert_quiet()


def test_what_was_zoomed_into_stays_when_the_colours_change(opened: Opened) -> None:
    opened.show_chart(eventful())
    opened.press("n")
    before = opened.view()
    opened.find("#theme").click()
    assert opened.view() == before


def test_hostile_texts_are_read_and_never_run(opened: Opened) -> None:
    planted = [(START, START + 150 * PERIOD, HOSTILE)]
    hostile = report_of(
        [10], name=HOSTILE, title=HOSTILE, events=[event(10, 10, driver=HOSTILE)], planted=planted
    )
    opened.show_chart(page_of(hostile, report_of(name="x"), title=HOSTILE, notes=[HOSTILE]))

    assert opened.browser.driver.title == HOSTILE
    for selector in ("h1", "#d1 h2", "#index tbody a", ".note", "#d1 .events td:last-child"):
        assert opened.find(selector).text == HOSTILE
    opened.assert_quiet()


def test_of_many_detectors_of_nine_weeks_only_the_charts_in_sight_are_drawn(
    opened: Opened, many: Path
) -> None:
    opened.show_file(many)

    for number in (1, 4, 8):
        opened.browser.run(f"document.querySelector('#d{number}').scrollIntoView()")
        opened.browser.until(f"document.querySelector('#d{number} .chart.drawn')")
        assert 1 <= len(opened.all(".chart.drawn")) <= 4
        assert len(opened.all(".uplot")) == 2 * len(opened.all(".chart.drawn"))
    opened.assert_quiet()


def test_a_page_of_fifty_detectors_takes_less_than_nine_bytes_for_a_datapoint(
    many: Path, tmp_path: Path
) -> None:
    one, report = tmp_path / "report.html", nine_weeks(0)
    write_page(page_of(report), one)
    further = (many.stat().st_size - one.stat().st_size) / 7

    assert one.stat().st_size + 49 * further < 9 * 50 * len(report.values)


def test_without_javascript_the_tables_and_the_outline_are_there(
    browser: Browser, tmp_path: Path
) -> None:
    path = tmp_path / "report.html"
    write_page(eventful(), path)
    with browser.without_scripts():
        browser.open(path)
        shown = browser.driver.find_element(By.TAG_NAME, "body").text
        outline = browser.driver.find_element(By.CSS_SELECTOR, ".outline path.metric")
        assert "2026-03-01 03:20" in shown
        assert "Without JavaScript" in shown
        assert "Whole range" not in shown
        assert outline.is_displayed()


def test_everything_that_can_be_clicked_can_be_reached_by_tab(opened: Opened) -> None:
    opened.show_chart(page_of(eventful().reports[0], report_of(name="calm")))
    wanted = opened.browser.run(
        "return [...document.querySelectorAll('a, button, summary, .chart')].filter(e => e.checkVisibility()).length"
    )
    opened.browser.run(
        "document.activeElement.blur(); window.scrollTo(0, 0); window.reached = new Set();"
        "document.addEventListener('focusin', ({ target }) => { if (target.matches('a, button, summary, .chart')) {"
        "window.reached.add(target); window.unseen ||= getComputedStyle(target).outlineStyle === 'none'}})"
    )
    ActionChains(opened.browser.driver).send_keys(Keys.TAB * (int(wanted) + 20)).perform()

    assert opened.browser.run("return window.reached.size") == wanted
    assert opened.browser.run("return window.unseen") is False


def test_a_narrow_screen_needs_no_sideways_scrolling_of_the_page(opened: Opened) -> None:
    opened.browser.resize(NARROW)
    opened.show_chart(page_of(eventful().reports[0], report_of(name="x" * 64, title="y" * 300)))

    assert opened.browser.run("return document.documentElement.scrollWidth <= innerWidth")
    assert opened.pixels(0, METRIC) > 200


def test_a_chart_fits_the_window_when_that_changes(opened: Opened) -> None:
    opened.show_chart(eventful())
    opened.browser.resize(NARROW)

    opened.browser.until("document.querySelector('#d1 .uplot').clientWidth < 400")


def test_paper_has_the_outline_and_no_buttons(opened: Opened) -> None:
    opened.browser.prefer("dark")
    opened.show_chart(eventful())
    opened.browser.media("print")

    assert not opened.find("#d1 .toolbar").is_displayed()
    assert not opened.find("#d1 .uplot").is_displayed()
    assert opened.find("#d1 svg.outline").is_displayed()
    assert opened.find("html").value_of_css_property("background-color") == "rgba(255, 255, 255, 1)"


def long_training(**fields: Any) -> Page:
    """Half of the datapoints are for training only; the metric is a wave, and so is what was expected."""
    wave = 1000 + 500 * np.sin(np.arange(4_000) / 20)
    scored = np.arange(4_000) >= 2_000
    values = wave + np.random.default_rng(3).normal(0, 20, 4_000)
    values[3_000:3_004] *= 3
    around = np.where(scored, wave, np.nan)
    report = report_of(
        range(3_000, 3_004),
        4_000,
        values=values,
        scores=np.where(scored, 1.0, np.nan),
        events=[event(3_000, 3_003)],
        expected=Expected(around, around - 60, around + 60),
        cutoffs=[(START + 2_000 * PERIOD, 2.0)],
        trained_until=[START + 2_000 * PERIOD],
        axis="Orders, Sum",
        links=["#elsewhere"],
        **fields,
    )
    return page_of(report, report_of(name="x" * 64, title="y" * 300))


def test_the_view_starts_at_the_scored_part_and_the_whole_is_a_key_away(opened: Opened) -> None:
    opened.show_chart(long_training())
    assert opened.view() == (1_900, 3_999)

    opened.press("0")
    assert opened.view() == (0, 3_999)
    opened.assert_quiet()


def test_the_expected_line_is_visible_at_every_zoom(opened: Opened) -> None:
    opened.show_chart(long_training())
    found = [opened.pixels(0, EXPECTED)]
    for key in ("0", "n", "+", "+"):
        opened.press(key)
        found.append(opened.pixels(0, EXPECTED))

    assert min(found) > 100


def test_the_axis_has_even_decimals(opened: Opened) -> None:
    opened.show_chart(page_of(report_of()))
    script = (Path(report_page.__file__).parent / "page" / "wording.js").read_text()
    labels = opened.browser.run(
        script
        + "return [[0, 0.5, 1], [0, 2.5, 5], [999.5, 1000, 1000.5], [0, 2e6, 4e6], [-1, 0, 1], [0, 1e-5], [5]].map(evenLabels)"
    )

    assert labels == [
        ["0.0", "0.5", "1.0"],
        ["0.0", "2.5", "5.0"],
        ["999.5", "1,000.0", "1,000.5"],
        ["0 M", "2 M", "4 M"],
        ["-1", "0", "1"],
        ["0", "1.000e-5"],
        ["5"],
    ]


def test_the_axis_and_the_values_at_the_pointer_have_their_unit(opened: Opened) -> None:
    found = event(100, 101, unit="Milliseconds")
    opened.show_chart(page_of(report_of([100, 101], events=[found], unit="Milliseconds")))
    opened.press(Keys.ARROW_RIGHT)

    assert (
        " · value 1,100 ms · expected 1,000 ms (950 ms to 1,060 ms) · "
        in opened.find("#d1 .readout").text
    )
    assert opened.find("#d1 tr[data-event]").text.count("1,234 ms") == 1
    named = (Path(report_page.__file__).parent / "page" / "wording.js").read_text()
    assert opened.browser.run(
        named + "return namedWithUnit('Duration of a very long name, p99', 'ms')"
    ) == ("Duration of a very long … (ms)")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read_on_its_background(
    opened: Opened, scheme: Literal["light", "dark"]
) -> None:
    opened.browser.prefer(scheme)
    opened.show_chart(long_training(notes=["A note."]))

    assert opened.browser.run(FAINT) == []
    assert opened.browser.run("return window.compared") > 50


def test_a_phone_shows_everything_with_the_controls_below_the_chart(opened: Opened) -> None:
    opened.browser.resize(PHONE)
    opened.show_chart(long_training())

    assert opened.browser.run("return document.documentElement.scrollWidth") == PHONE[0]
    assert opened.browser.run(CLIPPED) == []
    chart, toolbar = opened.find("#d1 .chart"), opened.find("#d1 .toolbar")
    assert toolbar.rect["y"] > chart.rect["y"] + chart.rect["height"] - 1
    assert opened.find("#d1 .readout").text == "To read values, tap the chart."
    assert all(button.size["height"] >= 44 for button in opened.all("#d1 .toolbar button"))
    labels = opened.browser.run(
        "return [...document.querySelectorAll('#d1 tr[data-event] td')].map(td => getComputedStyle(td, '::before').content)"
    )
    assert {'"Begins"', '"Ends"', '"Lasts"', '"Severity"', '"Value"', '"Console"'} <= set(labels)
    opened.assert_quiet()


@pytest.mark.slow
def test_without_javascript_and_on_paper_the_outline_has_axes_and_marks(
    browser: Browser, tmp_path: Path
) -> None:
    path = tmp_path / "report.html"
    write_page(long_training(), path)
    for width, medium in ((360, "screen"), (1280, "screen"), (680, "print")):
        browser.resize((width, 900))
        with browser.without_scripts():
            browser.open(path)
            browser.media("print" if medium == "print" else "screen")
            values = texts(browser, "#d1 .plot:not(.score) .values text")
            assert values == ["0", "500", "1,000", "1,500", "2,000"]
            assert texts(browser, "#d1 .plot.score .values text")[0] == "0"
            assert texts(browser, "#d1 .times text") == ["8 Mar", "10 Mar", "12 Mar", "14 Mar"]
            assert texts(browser, "#d1 .trainings text") == ["T"]
            assert texts(browser, "#d1 p.axis")[0] == "Orders, Sum"
            for mark in ("metric", "expected-line", "thick", "anomalous", "event"):
                assert browser.run(f"return {SHOWN}.length", f"#d1 .drawing .{mark}"), mark
            assert browser.run("return document.documentElement.scrollWidth") == width
            assert browser.run(CLIPPED) == []


def texts(browser: Browser, selector: str) -> list[str]:
    found: list[str] = browser.run(f"return {SHOWN}.map((e) => e.textContent)", selector)
    return found
