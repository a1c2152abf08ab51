"""The text that people read in a file, passage by passage, without its code."""

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

_CODE = re.compile(r"`+[^`]+`+")
_WORDS = re.compile(r"[a-z]{2,}[ \n]+[a-z]{2,}", re.IGNORECASE)
_COMMENT_OF_COMMAND = re.compile(r"^\$ .*?\s# (.*)$", re.MULTILINE)
_JSON_TEXT = re.compile(
    r'"(?:description|title|markdown|label|Comment|Cause)":\s*"((?:[^"\\]|\\.)*)"'
)
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
_YAML_TEXT = {"Description", "AlarmDescription", "AssertDescription", "ConstraintDescription"}


@dataclass(frozen=True)
class Passage:
    """Consecutive text from `line` on; code in backticks is replaced by `…`."""

    line: int
    text: str
    is_docstring: bool = False

    def line_at(self, position: int) -> int:
        """Return the line in the file of a position in the text."""
        return self.line + self.text.count("\n", 0, position)


def passages(path: Path) -> Iterator[Passage]:
    """Yield the text of a Markdown, JSON, YAML or Python file. Raises KeyError for any other suffix."""
    yield from _READERS[path.suffix](path.read_text())


def markdown_passages(text: str) -> Iterator[Passage]:
    """Yield paragraphs, headings, table cells, plain fences, and comments of console commands."""
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        line = token.map[0] + 1 if token.map else 0
        if token.type == "inline":
            yield Passage(line, "".join(map(_shown, token.children or ())))
        elif token.type == "fence" and not token.info:
            yield Passage(line + 1, token.content)
        elif token.type == "fence" and token.info == "console":
            for found in _COMMENT_OF_COMMAND.finditer(token.content):
                yield Passage(line + 1 + token.content.count("\n", 0, found.start()), found[1])


def json_passages(text: str) -> Iterator[Passage]:
    """Yield descriptions, titles, comments and causes."""
    for found in _JSON_TEXT.finditer(text):
        yield Passage(_line(text, found.start(1)), _without_code(found[1]))


def yaml_passages(text: str) -> Iterator[Passage]:
    """Yield the descriptions of a template, and the titles of JSON inside it."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if root is not None:
        yield from _descriptions(root)
    yield from json_passages(text)


def python_passages(text: str) -> Iterator[Passage]:
    """Yield docstrings, and string literals of more than one word."""
    docstrings: set[ast.AST] = set()
    # A node comes before those in it.
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            docstrings.add(_first_value(node))
        elif isinstance(node, ast.Constant) and _WORDS.search(str(node.value)):
            yield Passage(node.lineno, _without_code(str(node.value)), node in docstrings)


def _shown(token: Token) -> str:
    if token.type == "code_inline":
        return "`…`"
    if token.type in ("softbreak", "hardbreak"):
        return "\n"
    return token.content if token.type in ("text", "image") else ""


def _descriptions(node: yaml.Node) -> Iterator[Passage]:
    if isinstance(node, yaml.SequenceNode):
        for each in node.value:
            yield from _descriptions(each)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value in _YAML_TEXT and isinstance(value, yaml.ScalarNode):
                yield Passage(value.start_mark.line + 1, _without_code(value.value))
            yield from _descriptions(value)


def _first_value(
    node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef,
) -> ast.AST:
    first = node.body[0]
    assert isinstance(first, ast.Expr)
    return first.value


def _without_code(text: str) -> str:
    return _CODE.sub("`…`", text)


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


_READERS: Mapping[str, Callable[[str], Iterator[Passage]]] = {
    ".md": markdown_passages,
    ".json": json_passages,
    ".yaml": yaml_passages,
    ".py": python_passages,
}
