"""Templates of paths: `/orders/8812/items?page=2` and `/orders/17/items` are both `/orders/{id}/items`."""

import re
from functools import lru_cache

_ID = "{id}"
_MOST_SEGMENTS, _LONGEST = 8, 160
_CACHED = 4_096
# A segment that is an id as a whole: hexadecimal of 8 and more with a digit, a UUID, an address, or a long token of
# letters and digits.
_WHOLE = re.compile(
    r"(?=[^/]*\d)[0-9a-fA-F]{8,}"
    r"|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    r"|[^/]*(?:@|%40)[^/]*"
    r"|(?=[^/]*\d)(?=[^/]*[A-Za-z])[A-Za-z0-9_=~-]{20,}"
    r"|[+-]?\d+(?:[.,:-]\d+)*"
)
# Numbers of three digits and more within a segment; `v2` and `oauth2` stay.
_NUMBER = re.compile(r"\d{3,}")


@lru_cache(_CACHED)
def path_template(path: str) -> str:
    """Return a path without query, with `{id}` for its variable parts, and cut to eight segments."""
    bare = re.split(r"[?#]", path, maxsplit=1)[0][: 4 * _LONGEST]
    segments = [_template(each) for each in bare.split("/") if each]
    if len(segments) > _MOST_SEGMENTS:
        segments = [*segments[:_MOST_SEGMENTS], "…"]
    return ("/" + "/".join(segments))[:_LONGEST]


def _template(segment: str) -> str:
    return _ID if _WHOLE.fullmatch(segment) else _NUMBER.sub(_ID, segment)
