"""Methods of dataclasses, which are generated as source during an import, compiled once for all environments.

Compiling them took more than half of the time in which an environment imports a handler. An environment shares what it
compiled; the process that forks environments learns it before the next fork. The same source is the same code, so
nothing else of an environment becomes another's. Part of the runtime's script, which imports nothing of the local AWS.
"""

import dataclasses
import fcntl
import marshal
import os
import tempfile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import CodeType

_BYTES_OF_LENGTH = 8


class GeneratedCode:
    """Code by its source, from the fork of a process on its own; what is new goes through a file without a name."""

    def __init__(self) -> None:
        self._known: dict[str, CodeType] = {}
        self._new: dict[str, CodeType] = {}
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - as long as the process
        # Environments that share at the same time do not overwrite each other. `tempfile` itself ignores the mode "a".
        fcntl.fcntl(self._file, fcntl.F_SETFL, os.O_APPEND)
        self._learned = 0

    def install(self) -> None:
        """Let dataclasses execute by way of this, whose `exec` is the built-in one until a global hides it."""
        vars(dataclasses)["exec"] = self.execute

    def execute(self, source: str, *namespaces: Any) -> None:
        """Execute source as `exec` does, without compiling it again."""
        code = self._known.get(source)
        if code is None:
            code = compile(source, "<string>", "exec", dont_inherit=True)
            self._known[source] = self._new[source] = code
        exec(code, *namespaces)  # noqa: S102 - what dataclasses would have executed

    def share(self) -> None:
        """Hand on what this process has compiled."""
        if self._new:
            new, self._new = self._new, {}
            content = marshal.dumps(new)
            length = len(content).to_bytes(_BYTES_OF_LENGTH, "big")
            os.write(self._file.fileno(), length + content)

    def learn(self) -> None:
        """Take over what environments have shared, as far as it is written."""
        size = os.fstat(self._file.fileno()).st_size
        unread = os.pread(self._file.fileno(), size - self._learned, self._learned)
        while len(unread) >= _BYTES_OF_LENGTH:
            end = _BYTES_OF_LENGTH + int.from_bytes(unread[:_BYTES_OF_LENGTH], "big")
            if len(unread) < end:
                return
            self._known |= marshal.loads(unread[_BYTES_OF_LENGTH:end])  # noqa: S302 - our own forks wrote it
            self._learned += end
            unread = unread[end:]
