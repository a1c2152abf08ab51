import json
import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cutwatch.streams.json_text import parsed

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda each: st.lists(each, max_size=4) | st.dictionaries(st.text(), each, max_size=4),
    max_leaves=12,
)
EDITS = st.lists(
    st.tuples(
        st.integers(0), st.integers(0, 2), st.sampled_from(b'{}[]",:019eE+-.nNaIt \\u\0\t\xc3')
    ),
    max_size=3,
)


def edited(text: bytes, edits: list[tuple[int, int, int]]) -> bytes:
    """Return a text in which bytes were replaced, inserted and left out."""
    content = bytearray(text)
    for place, kind, byte in edits:
        start = place % (len(content) + 1)
        content[start : start + (kind != 1)] = bytes([byte] if kind else [])
    return bytes(content)


def by_python(text: bytes) -> Any:
    try:
        return repr(json.loads(text.decode()))
    except ValueError:
        return "refused"


@given(VALUES, EDITS)
@example("\ud800", [])
@example(math.inf, [])
@example(10**30, [])
def test_it_reads_and_refuses_as_python_does(value: Any, edits: list[tuple[int, int, int]]) -> None:
    text = edited(json.dumps(value).encode(), edits)
    try:
        found = repr(parsed(text))
    except ValueError:
        found = "refused"
    assert found == by_python(text)


@pytest.mark.parametrize("text", [b"[" * 100_000, b"1" * 5_000, b"\xff", b"", b"\xef\xbb\xbf1"])
def test_a_text_that_is_too_deep_too_long_or_no_text_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError):
        parsed(text)
