import pytest

from benchmarks.scale import DOCUMENT, tables, with_tables
from tests.support.project import PROJECT


def test_the_documents_tables_are_those_of_the_code() -> None:
    """`benchmarks/scale.py --write` makes them anew."""
    document = DOCUMENT.read_text()
    assert document == with_tables(document)


def test_a_document_without_a_place_for_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match="the tables are"):
        with_tables("no table here")


def test_every_size_and_engine_has_its_dollars() -> None:
    rows = [row for row in tables()["dollars"].splitlines() if "$" in row]
    assert len(rows) == 4 * 2


def test_the_readme_leads_to_the_document() -> None:
    assert "docs/scale.md" in (PROJECT / "README.md").read_text()
