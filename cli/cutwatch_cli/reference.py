"""The commands' part of docs/cli.md, generated from the commands: `python -m cutwatch_cli.reference --write`."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from cutwatch_cli.main import app

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "cli.md"
MARK = (
    "<!-- Below, everything is made from the code: python -m cutwatch_cli.reference --write -->\n"
)


def with_commands(document: str) -> str:
    """Return the document with the text below the mark generated again. Raises `ValueError` without a mark."""
    prose, mark, _ = document.partition(MARK)
    if not mark:
        raise ValueError(f"no line {MARK.strip()!r}")
    return prose + mark + "\n" + "\n".join(_commands())


def _commands() -> Iterator[str]:
    for name, command in _named(typer.main.get_command(app), ""):
        yield f"## `cutwatch {name}`\n"
        yield f"{' '.join((command.help or '').split())}\n"
        yield "| | default | |\n|---|---|---|"
        yield from (_row(each) for each in command.params if not getattr(each, "hidden", False))
        yield ""


def _named(group: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """Yield each command with its name, those of groups behind the group's name."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _named(command, f"{prefix}{name} ")
        else:
            yield prefix + name, command


def _row(parameter: Any) -> str:
    return f"| {_spelling(parameter)} | {_default(parameter)} | {parameter.help or ''} |"


def _spelling(parameter: Any) -> str:
    """Return the option as it is typed, with placeholders in capitals."""
    metavar = str(parameter.metavar or parameter.name.upper()).replace("|", "\\|")
    if parameter.param_type_name == "argument":
        return f"`{metavar}`"
    names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
    return names if parameter.is_flag else f"{names} `{metavar}`"


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    default = parameter.default
    return "" if default in (None, False, [], ()) else f"`{'yes' if default is True else default}`"


if __name__ == "__main__":
    made = with_commands(DOCUMENT.read_text())
    if "--write" in sys.argv:
        DOCUMENT.write_text(made)
    else:
        sys.exit(made != DOCUMENT.read_text())
