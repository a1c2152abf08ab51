"""YAML that is read strictly and remembers its lines."""

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import yaml

from cutwatch.errors import InvalidDetectors

_MERGE = "tag:yaml.org,2002:merge"
_OCTAL = "0"


class Place(NamedTuple):
    """Line of a value, and its text if it is an unquoted scalar."""

    line: int
    text: str | None


@dataclass(frozen=True, eq=False)
class YamlDocument:
    """Content of a document; `problems` are those that do not prevent reading it, each with its line."""

    content: Any
    problems: tuple[tuple[int, str], ...]
    anchors: frozenset[str]
    _root: yaml.Node | None

    def place(self, path: Sequence[int | str]) -> Place:
        """Return the place of a value, or of the deepest mapping or list on the path to it that exists."""
        node, line = self._root, 1
        for step in path:
            found = _step(node, step)
            if found is None:
                return Place(line, None)
            line, node = found
        unquoted = isinstance(node, yaml.ScalarNode) and node.style is None
        return Place(line, node.value if node is not None and unquoted else None)


def parse_yaml(text: str, source: str) -> YamlDocument:
    """Parse a document. Raises `InvalidDetectors` with the place of a syntax error."""
    try:
        loader = _StrictLoader(text)
        try:
            root = loader.get_single_node()
            content = None if root is None else loader.construct_document(root)
        finally:
            loader.dispose()
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}, column {mark.column + 1}:" if mark else ""
        problem = getattr(error, "problem", None) or str(error) or type(error).__name__
        sentence = " ".join(problem.split())
        raise InvalidDetectors(f"{source}:{where} is not valid YAML: {sentence}") from None
    anchors = _keys_with_anchors(root, loader.anchored)
    return YamlDocument(content, tuple(loader.problems), anchors, root)


class _StrictLoader(yaml.SafeLoader):
    """Loader that notes repeated keys, which YAML would silently overwrite, and numbers that YAML would change."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.problems: list[tuple[int, str]] = []
        self.anchored: frozenset[int] = frozenset()

    def compose_document(self) -> yaml.Node | None:
        """Compose as the base class does, but remember the nodes with anchors."""
        self.get_event()  # type: ignore[no-untyped-call]
        node: yaml.Node | None = self.compose_node(None, None)  # type: ignore[arg-type]
        self.get_event()  # type: ignore[no-untyped-call]
        self.anchored = frozenset(map(id, self.anchors.values()))
        self.anchors = {}
        return node

    def construct_mapping(
        self,
        node: yaml.MappingNode,
        deep: bool = False,  # noqa: FBT001, FBT002
    ) -> dict[Hashable, Any]:
        lines: dict[str, list[int]] = {}
        for key in (key for key, _ in node.value if key.tag != _MERGE):
            name = str(self.construct_object(key, deep=True))
            lines.setdefault(name, []).append(key.start_mark.line + 1)
        self.problems += [
            (found[-1], f"is not valid YAML: key {name!r} appears {len(found)} times")
            for name, found in lines.items()
            if len(found) > 1
        ]
        return super().construct_mapping(node, deep)


def _as_written(loader: _StrictLoader, node: yaml.ScalarNode) -> Any:
    """Keep times and dates as text: YAML 1.1 reads `22:00` as the number 1320 and `2026-12-24` as a date."""
    text = node.value
    if node.tag.endswith("timestamp") or ":" in text:
        return text
    digits = text.lstrip("+-")
    if (
        node.tag.endswith("int")
        and digits.startswith(_OCTAL)
        and digits.isdecimal()
        and len(digits) > 1
    ):
        loader.problems.append(
            (
                node.start_mark.line + 1,
                f'{text} is an octal number in YAML; put it in quotes ("{text}"), or remove the leading zero',
            )
        )
        return text
    return yaml.SafeLoader.yaml_constructors[node.tag](loader, node)


for _tag in ("timestamp", "int", "float"):
    _StrictLoader.add_constructor(f"tag:yaml.org,2002:{_tag}", _as_written)


def _keys_with_anchors(root: yaml.Node | None, anchored: Collection[int]) -> frozenset[str]:
    """Return the document's keys whose value, or a value directly inside, has an anchor."""
    if not isinstance(root, yaml.MappingNode):
        return frozenset()
    return frozenset(
        str(key.value)
        for key, value in root.value
        if any(id(node) in anchored for node in (value, *_children(value)))
    )


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [value for _, value in node.value]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _step(node: yaml.Node | None, step: int | str) -> tuple[int, yaml.Node] | None:
    """Return the line and the node one step below; in a list, a name selects AWS's pair of that `Name`."""
    if isinstance(node, yaml.MappingNode):
        # The last one counts: merged keys stand before a mapping's own.
        for key, value in reversed(node.value):
            if isinstance(key, yaml.ScalarNode) and key.value == str(step):
                return key.start_mark.line + 1, value
    elif isinstance(node, yaml.SequenceNode):
        if isinstance(step, int) and step < len(node.value):
            item = node.value[step]
            return item.start_mark.line + 1, item
        return next(filter(None, (_pair(item, step) for item in node.value)), None)
    return None


def _pair(item: yaml.Node, name: int | str) -> tuple[int, yaml.Node] | None:
    found = _step(item, "Name") if isinstance(item, yaml.MappingNode) else None
    return _step(item, "Value") if found and found[1].value == name else None
