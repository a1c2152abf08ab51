import re
import stat
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from unittest.mock import patch

import pytest

from cutwatch_cli.report import Page, uplot, verdict, worst_first, write_page
from cutwatch_cli.report.colours import DARK, LIGHT, PAPER, Palette
from cutwatch_cli.report.report_page import render
from tests.support.sample_reports import HOSTILE, PERIOD, START, event, page_of, report_of

TEXTS = ("text", "quiet", "link", "high", "medium", "low", "planted")
LINES = ("metric", "score", "cutoff", "anomaly", "planted", "focus", "missing")


class Document(HTMLParser):
    """Which elements there are, in their order, and what runs or is applied: the texts of scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.active: list[str] = []
        self._inside = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.elements.append((tag, attributes))
        self._inside = tag == "style" or (tag == "script" and "type" not in attributes)
        if self._inside:
            self.active.append("")

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.active[-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._inside = False


def hostile_page() -> Page:
    loud = report_of(
        [10],
        name=HOSTILE,
        title=HOSTILE,
        events=[event(10, 10, driver=HOSTILE)],
        planted=[(START, START + PERIOD, HOSTILE)],
        facts=[(HOSTILE, HOSTILE)],
    )
    calm = report_of(name=HOSTILE * 2)
    return page_of(loud, calm, title=HOSTILE, subtitle=HOSTILE, notes=[HOSTILE])


def test_hostile_texts_add_no_element_to_the_page() -> None:
    plain = page_of(
        report_of(
            [10], events=[event(10, 10)], planted=[(START, START + PERIOD, "x")], facts=[("a", "b")]
        ),
        report_of(),
        notes=["x"],
    )
    told, expected = Document(render(hostile_page())), Document(render(plain))

    assert [tag for tag, _ in told.elements] == [tag for tag, _ in expected.elements]
    assert told.active == expected.active


def test_the_policy_allows_the_pages_own_scripts_and_style_and_nothing_else() -> None:
    document = Document(render(page_of(report_of())))
    policy = next(
        str(attributes["content"])
        for _, attributes in document.elements
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert len(document.active) == 3
    digests = [sha256(text.encode()).digest() for text in document.active]
    hashes = {f"'sha256-{b64encode(digest).decode()}'" for digest in digests}
    assert hashes == set(re.findall(r"'sha256-[^']+'", policy))


def test_nothing_on_the_page_is_elsewhere() -> None:
    document = Document(render(page_of(report_of([10], events=[event(10, 10)]), report_of())))

    for tag, attributes in document.elements:
        for name in ("src", "href", "action", "data", "srcset"):
            assert str(attributes.get(name, "#")).startswith(("#", "data:,")), (tag, attributes)
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]


def test_the_index_is_there_for_several_detectors_the_worst_first() -> None:
    calm, loud = report_of(name="calm"), report_of(name="loud", events=[event(1, 1)])

    alone, several = render(page_of(calm)), render(page_of(calm, loud))

    assert 'id="index"' not in alone
    assert several.index('<a href="#d1">loud</a>') < several.index('<a href="#d2">calm</a>')


def test_the_verdict_names_the_worst_and_how_many_have_events() -> None:
    calm, loud = report_of(name="calm"), report_of(name="loud", events=[event(1, 1), event(9, 9)])
    silent = report_of(name="silent", events=[event(3, 8, None)])

    assert verdict([calm]) == "No events of 1 detector"
    assert verdict([calm, loud]) == (
        "2 events of 1 detector; worst: loud, 2026-03-01 00:05 UTC, 3.5 x cutoff"
    )
    assert verdict([loud, silent]).endswith("worst: silent, 2026-03-01 00:15 UTC, no data")
    assert [each.detector for each in worst_first([calm, loud, silent])] == [
        "silent",
        "loud",
        "calm",
    ]


def test_the_legend_has_the_marks_of_the_chart_alone() -> None:
    bare = render(page_of(report_of(expected=None, cutoffs=[], trained_until=[])))
    full = render(page_of(report_of([10], events=[event(10, 10)])))

    for meaning in ("cutoff", "trained until", "expected (90 %)", "event, with its number"):
        assert f"</svg>{meaning}</li>" not in bare
        assert f"</svg>{meaning}</li>" in full


def test_a_page_replaces_the_one_before_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "new" / "report.html"
    for title in ("first", "second"):
        write_page(page_of(report_of(), title=title), path)

    assert "<title>second</title>" in path.read_text()
    assert [each.name for each in path.parent.iterdir()] == ["report.html"]
    assert stat.S_IMODE(path.stat().st_mode) & 0o400


def test_what_is_not_uplots_own_release_is_refused() -> None:
    name, _ = uplot._SCRIPT
    with (
        patch("cutwatch_cli.report.uplot._SCRIPT", (name, "0" * 64)),
        pytest.raises(uplot.ForeignFile, match=r"uplot\.iife\.min\.js has the SHA-256"),
    ):
        uplot.script()


@pytest.mark.parametrize("name", ["series", "wording", "marks", "chart", "section", "page"])
def test_no_script_can_end_its_element(name: str) -> None:
    folder = Path(uplot.__file__).parent / "page"
    assert "</script" not in (folder / f"{name}.js").read_text() + uplot.script()


@pytest.mark.parametrize("palette", [LIGHT, DARK, PAPER], ids=["light", "dark", "paper"])
def test_colours_can_be_told_from_the_page(palette: Palette) -> None:
    """WCAG 2.2: 4.5 to 1 for text, 3 to 1 for what a chart is read by."""
    for name in TEXTS:
        for ground in ("page", "panel"):
            assert contrast(palette[name], palette[ground]) >= 4.5, (name, ground)
    for name in LINES:
        assert contrast(palette[name], palette["page"]) >= 3, name
    for mark in ("anomaly", "cutoff"):
        assert contrast(palette["on-mark"], palette[mark]) >= 4.5, mark


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    shares = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
