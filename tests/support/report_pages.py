"""What a report's page holds, read as its script reads it."""

import json
import re
import zlib
from base64 import b64decode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cutwatch.timeseries.arrays import Floats

_COLUMNS = ("value", "score", "expected", "below", "above")


def descriptions_of(page: Path) -> list[Any]:
    return [json.loads(text) for text in _scripts(page, "application/json", "data-of")]


def columns_of(page: Path) -> list[dict[str, Floats]]:
    """Return the columns of each detector, by name."""
    packed = _scripts(page, "text/plain", "data-columns")
    return [
        unpacked(described["kinds"], text, described["count"])
        for described, text in zip(descriptions_of(page), packed, strict=True)
    ]


def unpacked(kinds: Sequence[str], text: str, count: int) -> dict[str, Floats]:
    content = zlib.decompress(b64decode(text))
    columns = {}
    for name, kind in zip(_COLUMNS, kinds, strict=False):
        size = int(kind[1])
        planes, content = content[: size * count], content[size * count :]
        ordered = np.frombuffer(planes, np.uint8).reshape(size, count).T.tobytes()
        columns[name] = np.frombuffer(ordered, f"<{kind}").astype(float)
    assert content == b""
    return columns


def share_in_range(columns: dict[str, Floats]) -> float:
    """Return the share of the scored datapoints whose value is in the expected range; NaN is in none."""
    value, expected = columns["value"], columns["expected"]
    inside = (expected - columns["below"] <= value) & (value <= expected + columns["above"])
    return float(inside[np.isfinite(columns["score"])].mean())


def _scripts(page: Path, kind: str, attribute: str) -> list[str]:
    return re.findall(rf'<script type="{kind}" {attribute}="\d+">(.*?)</script>', page.read_text())
