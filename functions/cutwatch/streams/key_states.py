"""The states of a bucket's keys, each read from bytes when it is first needed, and written again only if it was."""

import math
from collections.abc import Iterator, MutableMapping
from typing import NamedTuple

from cutwatch.detectors.stream import Stream
from cutwatch.streams.key_state import KeyState


class StoredKey(NamedTuple):
    """A key's state in bytes, with its newest event time, and the time at which it is due to be closed."""

    newest: float
    due: float
    content: bytes


class KeyStates(MutableMapping[str, KeyState]):
    """States by key. A state that was read may have changed; `stored` writes it again."""

    def __init__(self, stream: Stream, stored: dict[str, StoredKey] | None = None) -> None:
        self._stream = stream
        self._stored = stored or {}
        self._open: dict[str, KeyState] = {}
        self._read: set[str] = set()

    def __getitem__(self, key: str) -> KeyState:
        """Return the state of a key. Raises `KeyError`, or `MalformedState` if it cannot be read."""
        state = self._open.get(key)
        if state is None:
            state = KeyState.from_bytes(self._stored[key].content, self._stream)
            self._open[key] = state
        self._read.add(key)
        return state

    def find(self, key: str) -> KeyState | None:
        """Return the state of a key; None if the key is new. Raises `MalformedState` if it cannot be read."""
        state = self._open.get(key)
        if state is None:
            return self[key] if key in self._stored else None
        self._read.add(key)
        return state

    def __setitem__(self, key: str, state: KeyState) -> None:
        self._open[key] = state
        self._read.add(key)

    def __delitem__(self, key: str) -> None:
        if self._stored.pop(key, None) is None and key not in self._open:
            raise KeyError(key)
        self._open.pop(key, None)
        self._read.discard(key)

    def __iter__(self) -> Iterator[str]:
        yield from self._stored
        yield from (key for key in self._open if key not in self._stored)

    def __len__(self) -> int:
        return len(self._stored) + sum(key not in self._stored for key in self._open)

    def read(self) -> Iterator[KeyState]:
        """Yield the states that were read or added since they were last stored."""
        return (self._open[key] for key in self._read)

    def newest(self, key: str) -> float:
        """Return the newest event time of a key, without reading its state."""
        return self._open[key].newest if key in self._open else self._stored[key].newest

    def due(self) -> list[tuple[float, str]]:
        """Return when each key is due to be closed, if ever, without reading states; the earliest first."""
        times = (
            (self._open[key].due if key in self._open else self._stored[key].due, key)
            for key in self
        )
        return sorted((time, key) for time, key in times if time < math.inf)

    def stored(self) -> dict[str, StoredKey]:
        """Return every state in bytes, in the order of their keys."""
        for key in self._read:
            state = self._open[key]
            content = state.to_bytes(self._stream)
            self._stored[key] = StoredKey(state.newest, state.due, content)
        self._read.clear()
        self._stored = dict(sorted(self._stored.items()))
        return self._stored
