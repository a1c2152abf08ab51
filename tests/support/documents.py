"""README.md and docs/*.md as a reader has them: commands with what they print, links, headings, words in code."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.support.project import PROJECT

DOCUMENTS = [PROJECT / "README.md", PROJECT / "CHANGELOG.md", *sorted(PROJECT.glob("docs/*.md"))]
_HTML_LINK = re.compile(r"""(?:src|srcset|href)="([^"]+)\"""")


@dataclass(frozen=True)
class Shown:
    """A command with the output that is shown for it, in which `...` stands for anything."""

    command: str
    output: str

    def is_in(self, printed: str) -> bool:
        pieces = (re.escape(piece) for piece in self.output.strip("\n").split("..."))
        return re.search(".*".join(pieces), printed, re.DOTALL) is not None


def shown(document: Path) -> Iterator[Shown]:
    """Every command of every block `console`, in their order."""
    for token in _tokens(document):
        if token.type == "fence" and token.info == "console":
            for one in re.split(r"^\$ ", token.content, flags=re.MULTILINE)[1:]:
                command, output = _parted(one)
                yield Shown(command, output)


def _parted(text: str) -> tuple[str, str]:
    """A command may go on after a backslash at the end of its line."""
    found = re.match(r"(?:.*\\\n)*.*\n?", text)
    assert found is not None
    return found[0].rstrip("\n"), text[found.end() :]


def links(document: Path) -> Iterator[str]:
    """Where links and pictures lead, those in HTML too."""
    for token in _inline(document):
        for name in ("href", "src"):
            if name in token.attrs:
                yield str(token.attrs[name])
        if token.type in ("html_inline", "html_block"):
            yield from _HTML_LINK.findall(token.content)


def anchors(document: Path) -> set[str]:
    """Of every heading, as GitHub makes them."""
    found: set[str] = set()
    tokens = _tokens(document)
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            text = "".join(child.content for child in inline.children or ())
            slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            repeated = sum(each == slug or each.startswith(f"{slug}-") for each in found)
            found.add(f"{slug}-{repeated}" if slug in found else slug)
    return found


def code(document: Path) -> Iterator[str]:
    """Words in code: each piece within a line, and each command of a block."""
    yield from (token.content for token in _inline(document) if token.type == "code_inline")
    yield from (one.command for one in shown(document))


def _inline(document: Path) -> Iterator[Token]:
    for token in _tokens(document):
        yield token
        yield from token.children or ()


@cache
def _tokens(document: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(document.read_text())
