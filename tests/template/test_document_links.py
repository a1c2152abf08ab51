"""What the documents point to is there: files, headings, pictures, commands and their options."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import typer

from cutwatch_cli.main import app
from tests.support.documents import DOCUMENTS, anchors, code, links
from tests.support.project import PROJECT

# Of other programs that the documents speak of by their options alone.
OPTIONS_OF_OTHERS = {"--endpoint-url": "aws", "--skip-pull-image": "sam local invoke"}
_COMMAND = re.compile(r"(?:^|[\s/(|])cutwatch ([a-z][a-z-]*(?:\|[a-z]+)*)\b([^|;>#&]*)")
_TARGET = re.compile(r"^make ([a-z][\w-]*)", re.MULTILINE)
_PATH = re.compile(r"(?:functions|statemachines|events|cli|localaws|benchmarks|tests)/[\w/.]+\w")
_OPTION = re.compile(r"(?<![\w-])--[a-z][\w-]*")
_ENTRY = re.compile(r"^(\d+)\. ", re.MULTILINE)

documents = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)


def commands() -> dict[str, Any]:
    group: Any = typer.main.get_command(app)
    found: dict[str, Any] = group.commands
    return found


def options(command: Any) -> set[str]:
    if hasattr(command, "commands"):
        return {o for each in command.commands.values() for o in options(each)}
    spellings = {o for each in command.params for o in (*each.opts, *each.secondary_opts)}
    return {o for o in spellings if o.startswith("--")} | {"--help"}


def asked(document: Path) -> Iterator[tuple[str, list[str]]]:
    """Every command of ours that the document names, with the options that it gives it."""
    for text in code(document):
        for names, arguments in _COMMAND.findall(text):
            for name in names.split("|"):
                yield name, _OPTION.findall(arguments)


@documents
def test_every_link_leads_to_a_file_and_a_heading_that_are_there(document: Path) -> None:
    for link in links(document):
        parts = urlsplit(link)
        if not parts.scheme:
            target = document.parent / unquote(parts.path) if parts.path else document
            assert target.exists(), link
            assert PROJECT in target.resolve().parents, link
            if parts.fragment:
                assert target.suffix == ".md", link
                assert parts.fragment in anchors(target), link


def test_every_document_but_the_changelog_is_reached_from_the_readme() -> None:
    reached, pending = set(), [PROJECT / "README.md"]
    while pending:
        document = pending.pop()
        if document in reached or document not in DOCUMENTS:
            continue
        reached.add(document)
        for link in links(document):
            parts = urlsplit(link)
            if not parts.scheme and parts.path:
                pending.append((document.parent / parts.path).resolve())
    assert set(DOCUMENTS) - reached <= {PROJECT / "CHANGELOG.md"}


@documents
def test_every_command_of_ours_and_every_option_that_it_is_given_exists(document: Path) -> None:
    known = commands()
    for name, given in asked(document):
        assert name in known, f"cutwatch {name}"
        assert set(given) <= options(known[name]), f"cutwatch {name} {given}"


@documents
def test_every_path_of_the_source_that_is_named_exists(document: Path) -> None:
    named = {text for text in code(document) if _PATH.fullmatch(text)}
    assert {path for path in named if not (PROJECT / path).exists()} == set()


def test_the_path_of_a_datapoint_is_named_at_all() -> None:
    named = set(code(PROJECT / "docs" / "architecture.md"))
    assert {
        path for path in named if path.startswith("functions/cutwatch/") and _PATH.fullmatch(path)
    }


@documents
def test_every_target_of_make_exists(document: Path) -> None:
    targets = set(re.findall(r"^([\w-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    for text in code(document):
        assert set(_TARGET.findall(text)) <= targets, text


@documents
def test_every_option_that_stands_alone_is_one_of_ours(document: Path) -> None:
    ours = set().union(*map(options, commands().values()), OPTIONS_OF_OTHERS)
    for text in code(document):
        words = text.split()
        if words and words[0].startswith("--"):
            assert words[0].partition("=")[0].strip("`,") in ours, text


def test_every_option_of_others_is_spoken_of() -> None:
    spoken = {text.split()[0] for document in DOCUMENTS for text in code(document) if text.split()}
    assert set(OPTIONS_OF_OTHERS) <= spoken


def test_the_commands_of_the_documents_are_found_at_all() -> None:
    named = {name for document in DOCUMENTS for name, _ in asked(document)}
    assert named >= {"status", "events", "start", "silence", "report", "validate", "local"}


def test_decisions_which_others_refer_to_by_number_are_numbered_one_after_the_other() -> None:
    numbers = [int(each) for each in _ENTRY.findall((PROJECT / "docs/decisions.md").read_text())]
    assert numbers == list(range(1, len(numbers) + 1))
