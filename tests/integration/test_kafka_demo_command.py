"""What `cutwatch demo --stream kafka` says where Apache Kafka is missing."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cutwatch_cli.commands.kafka_demo import missing_parts
from cutwatch_cli.main import app


def test_one_line_says_what_is_missing_and_how_it_is_fetched(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KAFKA_JARS", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    result = CliRunner().invoke(app, ["demo", "--stream", "kafka"])
    assert result.exit_code == 2
    assert result.stdout == ""
    [line] = result.stderr.splitlines()
    assert "java in PATH (install Java 17 or newer)" in line
    assert f"its files in {tmp_path} (make kafka fetches them; it needs Maven)" in line


def test_nothing_is_missing_where_java_and_the_files_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    java = tmp_path / "java"
    java.touch(mode=0o755)
    (tmp_path / "kafka_2.13-4.1.1.jar").touch()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert [*missing_parts(tmp_path)] == []
