"""The README's example runs, and its table has the limits that are enforced."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from localaws import limits

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def _forget() -> None:
    """The example starts a local AWS of its own."""


def block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    return str(found)


def test_the_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "template.yaml").write_text(block("yaml"))
    monkeypatch.chdir(tmp_path)
    exec(compile(block("python"), "README.md", "exec"), {})


def in_words(limit: object) -> str:
    if isinstance(limit, dict):
        return ", ".join(f"{span_in_words(key)}: {in_words(kept)}" for key, kept in limit.items())
    if isinstance(limit, timedelta):
        return duration_in_words(limit)
    if isinstance(limit, range):
        return f"{limit.start:,} to {limit.stop - 1:,}"
    return f"`{limit}`" if isinstance(limit, str) else f"{limit:,}"


def duration_in_words(limit: timedelta) -> str:
    if limit.days:
        return f"{limit.days} days"
    hours, seconds = divmod(limit.seconds, 3600)
    return f"{hours} hours" if hours else f"{seconds // 60} minutes"


def span_in_words(span: int | timedelta) -> str:
    """Of a period, or of an age."""
    return f"{span} s" if isinstance(span, int) else f"{int(span.total_seconds()) // 3600} hours"


def test_the_table_of_limits_is_complete_and_right() -> None:
    enforced = {name: in_words(limit) for name, limit in vars(limits).items() if name.isupper()}
    assert dict(re.findall(r"^\| `([A-Z_]+)` \| (.+) \|$", README, re.MULTILINE)) == enforced
