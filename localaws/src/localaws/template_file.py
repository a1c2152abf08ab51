"""A CloudFormation template read from YAML, its short function tags spelled out."""

import pickle
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

Template = dict[str, Any]


# libyaml reads a template ten times as fast; PyYAML's wheels have it, but not every build from source.
_SafeLoader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_SafeLoader):  # type: ignore[misc, valid-type]
    """Knows CloudFormation's tags, and no dates: `2010-09-09` is text."""


def read_template(path: Path) -> Template:
    """Read a template as CloudFormation's own long form."""
    template = pickle.loads(_parsed(path.read_text(encoding="utf-8")))  # noqa: S301 - our own
    if not isinstance(template, dict) or "Resources" not in template:
        raise ValueError(f"{path} is not a CloudFormation template: it has no Resources")
    return template


@lru_cache(maxsize=32)
def _parsed(text: str) -> bytes:
    """Parse a template, pickled: the callers change theirs, and loading takes a twentieth of parsing."""
    return pickle.dumps(yaml.load(text, _Loader))  # noqa: S506 - a SafeLoader


def _function(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> dict[str, Any]:
    name = tag if tag in ("Ref", "Condition") else f"Fn::{tag}"
    if isinstance(node, yaml.ScalarNode):
        text = loader.construct_scalar(node)
        return {name: text.split(".", 1) if tag == "GetAtt" else text}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    return {name: loader.construct_mapping(node, deep=True)}  # type: ignore[arg-type]


_Loader.add_multi_constructor("!", _function)
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
