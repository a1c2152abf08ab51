import pytest

from cutwatch_cli.reference import DOCUMENT, with_commands
from tests.support.project import PROJECT


def test_every_command_is_documented_as_the_code_has_it() -> None:
    """`python -m cutwatch_cli.reference --write` makes the document anew."""
    document = DOCUMENT.read_text()
    assert document == with_commands(document)


def test_a_document_without_the_mark_is_refused() -> None:
    with pytest.raises(ValueError, match="no line"):
        with_commands("# The command line")


def test_the_readme_leads_to_the_document() -> None:
    assert "docs/cli.md" in (PROJECT / "README.md").read_text()
