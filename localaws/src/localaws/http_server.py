"""An ASGI application served over HTTP by a thread of this process."""

import asyncio
import logging
import socket
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from weakref import WeakValueDictionary

from hypercorn.asyncio import serve
from hypercorn.config import Config, Sockets

AsgiApp = Callable[[Any, Any, Any], Awaitable[None]]

_SILENT = logging.getLogger("localaws.http")
_SECONDS_TO_START = 30.0
_KEEP_ALIVE_SECONDS = 3600
_LOOPBACK_OF_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - never a default


class HttpServer:
    """Listens from construction on; answers between `start` and `stop`."""

    def __init__(self, host: str, port: int) -> None:
        self._socket = _listen(host, port)
        self.host: str = host
        self.port: int = self._socket.getsockname()[1]
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None

    @property
    def url(self) -> str:
        """Return the URL for this process and its functions, whatever else the server listens on."""
        host = _LOOPBACK_OF_ANY.get(self.host, self.host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    def start(self, app: AsgiApp) -> asyncio.AbstractEventLoop:
        started = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(app, started), name="local-aws", daemon=True
        )
        self._thread.start()
        started.wait(_SECONDS_TO_START)
        if self._failure is not None or self._loop is None:
            raise RuntimeError("the local AWS did not start") from self._failure
        return self._loop

    def stop(self) -> None:
        if self._loop is not None and self._stopping is not None and self._loop.is_running():
            self._loop.call_soon_threadsafe(self._stopping.set)
        if self._thread is not None:
            self._thread.join()
        self._socket.close()

    def _run(self, app: AsgiApp, started: threading.Event) -> None:
        try:
            asyncio.run(self._serve(app, started))
        except BaseException as failure:  # noqa: BLE001 - raised again by start
            self._failure = failure
        finally:
            started.set()

    async def _serve(self, app: AsgiApp, started: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self._loop.set_exception_handler(_report_unless_cancelled)
        self._loop.call_soon(started.set)
        await serve(app, self._configuration(), shutdown_trigger=self._stopping.wait, mode="asgi")

    def hang_up(self, client: tuple[str, int]) -> None:
        """Close a client's connection without an answer."""
        connection = self._socket.connections.get(client)
        if connection is not None:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _configuration(self) -> Config:
        config = _ListeningConfig(self._socket)
        # Also a silent log of accesses would describe each of them.
        config.accesslog = None
        config.errorlog = _SILENT
        config.keep_alive_timeout = _KEEP_ALIVE_SECONDS
        config.graceful_timeout = config.shutdown_timeout = 0.1
        config.include_server_header = False
        return config


def _report_unless_cancelled(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Report an error, unless it is a connection that was open when the server stopped: Python 3.11 reports those too."""
    if not isinstance(context.get("exception"), asyncio.CancelledError):
        loop.default_exception_handler(context)


class _ListeningSocket(socket.socket):
    """Remembers its connections, so that one can be cut."""

    def __init__(self, family: socket.AddressFamily) -> None:
        super().__init__(family, socket.SOCK_STREAM)
        self.connections: WeakValueDictionary[Any, socket.socket] = WeakValueDictionary()

    def accept(self) -> tuple[socket.socket, Any]:
        connection, address = super().accept()
        self.connections[address[:2]] = connection
        return connection, address


class _ListeningConfig(Config):
    def __init__(self, listening: _ListeningSocket) -> None:
        super().__init__()
        self._listening = listening

    def create_sockets(self) -> Sockets:
        return Sockets([], [self._listening], [])


def _listen(host: str, port: int) -> _ListeningSocket:
    listening = _ListeningSocket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise OSError(error.errno, f"cannot listen on {host}:{port}: {error.strerror}") from error
    listening.listen(512)
    listening.setblocking(False)
    return listening
