"""Reports as one self-contained HTML file: no network access, and every text escaped."""

import os
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from cutwatch.wording import count, multiple_in_words, time_in_words
from cutwatch_cli.report import colours, uplot
from cutwatch_cli.report.detector_report import DetectorReport, severity_rank
from cutwatch_cli.report.outline_paths import METRIC_HEIGHT, SCORE_HEIGHT, WIDTH
from cutwatch_cli.report.page_sections import Section

MOST_DETECTORS = 50
_FOLDER = Path(__file__).parent / "page"
_SCRIPTS = ("series", "wording", "marks", "chart", "section", "page")


@dataclass(frozen=True, eq=False)
class Page:
    """Contents of a page."""

    title: str
    subtitle: str
    reports: Sequence[DetectorReport]
    made_at: datetime
    notes: Sequence[str] = ()


def worst_first(reports: Sequence[DetectorReport]) -> list[DetectorReport]:
    """Sort reports by their most severe event, then by their number of events."""
    return sorted(
        reports, key=lambda each: (-severity_rank(each.worst), -len(each.events), each.detector)
    )


def verdict(reports: Sequence[DetectorReport]) -> str:
    """Return one line: the number of events, and the worst of them."""
    first, *_ = worst_first(reports)
    if first.worst is None:
        return f"No events of {_subjects(reports)}"
    troubled = [report for report in reports if report.events]
    multiple = multiple_in_words(first.worst)
    how = "no data" if first.worst.severity is None else f"{multiple} x cutoff"
    begins = time_in_words(first.worst.begins, first.zone)
    events = _counted((each.words.event, len(each.events)) for each in troubled)
    return f"{events} of {_subjects(troubled)}; worst: {first.detector}, {begins} {first.time_zone}, {how}"


def _subjects(reports: Sequence[DetectorReport]) -> str:
    """Return `2 detectors and 1 stream`."""
    return _counted((report.words.subject, 1) for report in reports)


def _plural(reports: Sequence[DetectorReport]) -> str:
    """Return `Detectors`, `Streams`, or `Detectors and streams`."""
    nouns = sorted({f"{report.words.subject}s" for report in reports})
    return " and ".join(nouns).capitalize()


def _counted(numbers: Iterable[tuple[str, int]]) -> str:
    """Return the sum of the numbers of each noun: `3 events and 1 incident`."""
    sums: Counter[str] = Counter()
    for noun, number in numbers:
        sums[noun] += number
    return " and ".join(count(number, noun) for noun, number in sorted(sums.items()))


def write_page(page: Page, path: Path) -> None:
    """Write the file atomically: readers see either the old page or the new one."""
    html = render(page)
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(
        "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as file:
        file.write(html)
    try:
        # Same permissions as other new files: only the owner can read a temporary file.
        Path(file.name).chmod(0o666 & ~_umask())
        Path(file.name).replace(path)
    except OSError:
        Path(file.name).unlink(missing_ok=True)
        raise


def render(page: Page) -> str:
    """Return the page as HTML, the worst detector first."""
    style, script = _style(), _script()
    sections = [Section(n, report) for n, report in enumerate(worst_first(page.reports), start=1)]
    return (
        _templates()
        .get_template("page.html")
        .render(
            page=page,
            sections=sections,
            verdict=verdict(page.reports),
            subjects=_plural(page.reports),
            made=time_in_words(page.made_at, UTC),
            policy=_policy(style, uplot.script(), script),
            style=Markup(style),  # noqa: S704 - our own file
            library=Markup(uplot.script()),  # noqa: S704 - uPlot's own file, by its hash
            script=Markup(script),  # noqa: S704 - our own files
            licence=uplot.LICENCE,
            width=WIDTH,
            metric_height=METRIC_HEIGHT,
            score_height=SCORE_HEIGHT,
        )
    )


def _policy(style: str, *scripts: str) -> str:
    """Return a content security policy that loads and sends nothing, and allows only these scripts and this style."""
    allowed = " ".join(_hash(script) for script in scripts)
    return (
        f"default-src 'none'; script-src {allowed}; style-src {_hash(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


@cache
def _style() -> str:
    return "\n".join((colours.variables(), uplot.style(), (_FOLDER / "page.css").read_text()))


@cache
def _script() -> str:
    parts = "\n".join((_FOLDER / f"{name}.js").read_text() for name in _SCRIPTS)
    return f'"use strict";\n(() => {{\n{parts}}})();\n'


@cache
def _templates() -> Environment:
    return Environment(
        autoescape=True,
        loader=FileSystemLoader(_FOLDER),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
