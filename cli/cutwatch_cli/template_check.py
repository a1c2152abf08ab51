"""Check of the SAM template and its settings with cfn-lint, the linter behind `sam validate --lint`."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cfnlint.api import lint
from cfnlint.config import ManualArgs
from cfnlint.decode import decode_str

from cutwatch_cli.template_settings import setting_mistakes


class TemplateMistakes(Exception):
    """One line per error."""


def check_template(path: Path) -> None:
    """Raise `TemplateMistakes` unless the template and the templates nested in it are clean."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateMistakes(f"{path}: cannot be read: {error}") from None
    mistakes = [
        f"{path}: line {match.linenumber}: {match.message} ({match.rule.id})"
        for match in lint(text, config=ManualArgs(regions=["us-east-1"]))
    ]
    if not mistakes:
        template = _read(text)
        mistakes = [f"{path}: {mistake}" for mistake in setting_mistakes(template)]
        for nested in _nested(template):
            check_template(path.parent / nested)
    if mistakes:
        raise TemplateMistakes("\n".join(mistakes))


def _read(text: str) -> Mapping[str, Any]:
    template, _ = decode_str(text)
    return template or {}


def _nested(template: Mapping[str, Any]) -> Iterator[str]:
    """Yield the local paths of nested templates."""
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::CloudFormation::Stack":
            location = resource["Properties"]["TemplateURL"]
            if isinstance(location, str) and "://" not in location:
                yield location
