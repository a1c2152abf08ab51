"""An ASGI application served over HTTP by a thread of this process."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from uvicorn import Config, Server

AsgiApp = Callable[[Any, Any, Any], Awaitable[None]]

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
        self._server: Server | None = None
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
        self._loop.call_soon(started.set)
        self._server = _Server(_configuration(app), self._stopping)
        await self._server.serve([self._socket])

    def hang_up(self, client: tuple[str, int]) -> None:
        """Close a client's connection without an answer; called in the server's thread."""
        connections: Iterable[Any] = self._server.server_state.connections if self._server else ()
        for connection in connections:
            if connection.client == client:
                connection.transport.abort()


class _Server(Server):
    """Runs until an event is set, and waits for no answer when it stops."""

    def __init__(self, config: Config, stopping: asyncio.Event) -> None:
        super().__init__(config)
        self._stopping = stopping
        self.force_exit = True

    async def main_loop(self) -> None:
        await self._stopping.wait()


def _configuration(app: AsgiApp) -> Config:
    return Config(
        app,
        interface="asgi3",
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,  # the services put a date of their own clock
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=0,
    )


def _listen(host: str, port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
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
