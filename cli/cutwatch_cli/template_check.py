"""Check of the SAM template with cfn-lint, the linter behind `sam validate --lint`."""

from pathlib import Path

from cfnlint.api import lint
from cfnlint.config import ManualArgs


class TemplateMistakes(Exception):
    """Errors that cfn-lint found, one per line."""


def check_template(path: Path) -> None:
    """Raise `TemplateMistakes` unless the template is clean."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateMistakes(f"{path}: cannot be read: {error}") from None
    mistakes = [
        f"{path}: line {match.linenumber}: {match.message} ({match.rule.id})"
        for match in lint(text, config=ManualArgs(regions=["us-east-1"]))
    ]
    if mistakes:
        raise TemplateMistakes("\n".join(mistakes))
