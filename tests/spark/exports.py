"""Exports of a DynamoDB table to S3 as files, and items with all that an attribute may be."""

import gzip
import json
import random
from pathlib import Path
from typing import Any

Item = dict[str, Any]

NUMBERS = (
    "0",
    "-0",
    "7",
    "-12.5",
    ".5",
    "5.",
    "1E+2",
    "1e-400",
    "1e30",
    "-1e30",
    "0.1000000000000000055511151231257827",
)
TOO_LARGE = ("1.0000001e30", "-1e31", "1e125", "9" * 38)
NO_NUMBERS = (
    "",
    " 7",
    "7 ",
    "7\n",
    "1_000",
    "1d",
    "0x10",
    "NaN",
    "Infinity",
    "-inf",
    "1e",
    "1,5",
    "٣",
    "+-1",
    "seven",
)


def attribute(chooser: random.Random) -> Any:
    """An attribute's value; None where the item does not have it."""
    number = f"{chooser.uniform(-1000, 1000)!r}"
    text = chooser.choice((number, *NUMBERS, *TOO_LARGE, *NO_NUMBERS))
    return chooser.choice(
        (
            {"N": number},
            {"N": number},
            {"N": chooser.choice((*NUMBERS, *TOO_LARGE))},
            {"S": text},
            {"BOOL": chooser.random() < 0.5},
            {"NULL": True},
            {"L": [{"N": "1"}]},
            {"M": {"N": {"N": "1"}}},
            {"NS": ["1", "2"]},
            {"B": "AQI="},
            None,
        )
    )


def items(count: int, attributes: tuple[str, ...], seed: int = 1) -> list[Item]:
    chooser = random.Random(seed)
    found = []
    for number in range(count):
        values = {name: attribute(chooser) for name in attributes}
        known = {name: value for name, value in values.items() if value is not None}
        found.append({"id": {"S": f"id-{number}"}, **known})
    return found


def write_export(folder: Path, exported: list[Item], files: int = 3) -> None:
    """Write items as DynamoDB does: gzip of lines, in several files."""
    folder.mkdir(parents=True)
    for number in range(files):
        lines = "".join(json.dumps({"Item": item}) + "\n" for item in exported[number::files])
        (folder / f"part-{number}.json.gz").write_bytes(gzip.compress(lines.encode()))
