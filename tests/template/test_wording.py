"""Text that people read uses the field's terms and plain English."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

from tests.support.project import PROJECT
from tests.support.prose import Passage, markdown_passages, passages, python_passages, yaml_passages

# Add a glob to scan more: Markdown, JSON, templates (descriptions), Python (docstrings and messages).
SCANNED = (
    "template.yaml",
    "stacks/*.yaml",
    "README.md",
    "CHANGELOG.md",
    "docs/*.md",
    "docs/*.json",
    "localaws/README.md",
    "localaws/src/**/*.py",
    "cli/**/*.py",
    "functions/*.py",
    "functions/cutwatch/*.py",
    "functions/cutwatch/*/*.py",
    "statemachines/*.json",
)

# Copied word by word from help texts and tests by other tests: to be scanned at their source.
COPIED = {
    "docs/security.md": ("<!-- roles -->", "<!-- end of roles -->"),
}


@dataclass(frozen=True)
class Wording:
    """A pattern (any case, any white space), what to write instead, and a text that it must find."""

    pattern: str
    instead: str
    wrong: str

    def finds(self, text: str) -> Iterator[re.Match[str]]:
        return self._compiled.finditer(text)

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self.pattern.replace(" ", r"\s+"), re.IGNORECASE)


TERMS = (
    Wording(r"\bjudg(?:e[ds]?|ing|e?ments?)\b", "detect, detection, threshold", "is judged by"),
    Wording(r"\blikelihoods?\b", "standardised score; cutoff.method: adaptive", "the likelihood"),
    Wording(r"\bhabits?\b", "recurring peak level", "its own habit"),
    Wording(r"\bunits? of change\b", "resolution", "the unit of change"),
    Wording(r"\bexplained by one step\b", "lag-one autocorrelation", "explained by one step"),
    Wording(r"\bforests?'?s? states?\b|\bstates? of (?:a|the|learning) forests?\b", "checkpoint", "the forest's state"),
    Wording(r"\bby need\b", "on demand, cold start", "training by need"),
    Wording(r"\b(?:tell(?:s|ing)?|told)\b", "notify, publish, report, say", "was told of it"),
    Wording(r"\bmend(?:s|ed|ing)?\b", "patch, fix, repair", "mend the role"),
    Wording(r"\bmoments?\b", "timestamp, time", "at that moment"),
    Wording(r"\b(?:grave(?:r|st)?|gravity)\b", "severe, more severe, most severe", "the gravest event"),
    Wording(r"\be-mails?\b", "email", "by e-mail"),
    Wording(r"\bpredecessor'?s?\b", "name the rule or version", "the predecessor's rule"),
)  # fmt: skip
CONSTRUCTIONS = (
    Wording(r"\bwhom\b", "name the person, or rewrite", "for whom"),
    Wording(r"\bwho(?:so)?ever\b", "anyone who, the operator", "whoever is on call"),
    Wording(r"\bof which\b", "a second sentence", "two, of which one"),
    Wording(r"(?<!there\s)\b(?:is|are|was|were) no (?!longer|more)\w+", "is not a …", "is no detector"),
    Wording(r"\b(?:takes?|needs?|raises?|rings?|wakes?) (?:nothing|nobody|no one)\b", "say what happens", "needs nobody"),
    Wording(r"\bnothing new\b|\bfor nothing\b", "say what to do", "an id that was seen is nothing new"),
    Wording(r"\banew\b", "again, from scratch, retrain", "trained anew"),
    Wording(r"\bneed not\b", "does not need to", "it need not exist"),
    Wording(r"\bone's own\b|\bof (?:yours|ours|mine|theirs)\b", "your own", "a rule of yours"),
    Wording(r"\bhe(?:ard|ars?)\b", "is notified, receives", "who hears of it"),
    Wording(r"\bbear(?:s|ing)?\b", "has, carries", "the name it bears"),
    Wording(r"\bheld (?:to|against)\b", "checked against, restricted to", "held against the code"),
    Wording(r"\bso many\b", "this many, the number of", "at most so many"),
    Wording(r"\bbut for\b", "except for", "all but for two"),
    Wording(r"(?:^|[.:;|] )(?-i:Of) (?!course)", "start with the noun", "Of every detector."),
    Wording(r"(?:^|[.] )whose\b", "start with the noun", "Whose dataset it is."),
    Wording(r"\bwhat is usual\b|\bwhat was usual\b", "the expected value", "what is usual at that time"),
    Wording(r"\b(?:by|to|of) what\b", "a noun", "of what was found"),
    Wording(r"\b(?:some|any|every)body\b", "someone, anyone, everyone, or the role", "somebody stops a run"),
    Wording(r"\bbeside\b", "next to, alongside, in addition to", "beside the scores"),
    Wording(r"\bby (?:itself|themselves)\b", "automatically, on its own", "heals by itself"),
    Wording(r"\bask(?:s|ed|ing)? of\b", "need from, require", "what a run asks of AWS"),
    Wording(r"\bwhat nobody\b|\bnobody has\b|\bwhom nobody\b", "a positive statement", "that nobody has an alarm on"),
)  # fmt: skip
OPENINGS_OF_DOCSTRINGS = (
    Wording(r"^(?:what|whose|who|whether|where|how|when|as|the \w+ that)\b", "an imperative or a plain noun", "Whether it is new."),
)  # fmt: skip
EVERYWHERE = (*TERMS, *CONSTRUCTIONS)

wordings = pytest.mark.parametrize(
    "wording", [*EVERYWHERE, *OPENINGS_OF_DOCSTRINGS], ids=lambda each: each.wrong
)


def scanned() -> list[Path]:
    return sorted({path for pattern in SCANNED for path in PROJECT.glob(pattern)})


def copied_lines(path: Path) -> range:
    """Lines that another test compares with their source; every mark has to be in the document."""
    begin, end = COPIED.get(path.relative_to(PROJECT).as_posix(), (None, None))
    if begin is None or end is None:
        return range(0)
    before, copied = path.read_text().split(begin)
    first = before.count("\n") + 1
    return range(first, first + (copied[: copied.index(end)] if end else copied).count("\n") + 1)


def complaints(found: Iterator[Passage]) -> Iterator[tuple[int, str]]:
    """Yield line and complaint of everything that should be written differently."""
    for passage in found:
        rules = EVERYWHERE + (OPENINGS_OF_DOCSTRINGS if passage.is_docstring else ())
        for wording in rules:
            for hit in wording.finds(passage.text):
                words = " ".join(hit[0].split())
                yield passage.line_at(hit.start()), f"“{words}”; write: {wording.instead}"


@pytest.mark.parametrize("path", scanned(), ids=lambda path: path.relative_to(PROJECT).as_posix())
def test_text_that_people_read_is_in_plain_english(path: Path) -> None:
    copied = copied_lines(path)
    found = [
        f"{path.relative_to(PROJECT)}:{line}: {complaint}"
        for line, complaint in complaints(passages(path))
        if line not in copied
    ]
    assert not found, "\n" + "\n".join(found)


def test_every_glob_finds_a_file() -> None:
    assert [pattern for pattern in SCANNED if not list(PROJECT.glob(pattern))] == []
    assert set(COPIED) <= {path.relative_to(PROJECT).as_posix() for path in scanned()}


@wordings
def test_every_pattern_finds_its_example(wording: Wording) -> None:
    assert list(wording.finds(wording.wrong.replace(" ", "\n")))


@pytest.mark.parametrize(
    "text",
    [
        "There is no limit, and the key is no longer used.",
        "`likelihood` and `FailedRunsNotified` are names in code.",
        "Of course, its own role is not a person's.",
        "```python\njudgement = habit\n```",
    ],
)
def test_plain_text_and_code_are_left_alone(text: str) -> None:
    assert list(complaints(markdown_passages(text))) == []


def test_a_complaint_has_the_line_of_its_words() -> None:
    table = "# Title\n\nSome text that\nwas told.\n\n| a | b |\n|---|---|\n| c | trained anew |\n"
    assert [line for line, _ in complaints(markdown_passages(table))] == [4, 8]
    console = "```console\n$ ls # first\n$ ls # whom\n```\n"
    assert [line for line, _ in complaints(markdown_passages(console))] == [3]
    template = "Parameters:\n  A:\n    Type: String\n    Description: Address that is told.\n"
    assert [line for line, _ in complaints(yaml_passages(template))] == [4]
    dashboard = 'Body: !Sub |\n  {\n  "title": "What was told"}\n'
    assert [line for line, _ in complaints(yaml_passages(dashboard))] == [3]


def test_docstrings_and_messages_of_python_are_read_but_not_its_names() -> None:
    source = 'def told() -> None:\n    """Whether it is new."""\n    raise E(f"{a} was told twice", "told")\n'
    assert [line for line, _ in complaints(python_passages(source))] == [2, 3]
