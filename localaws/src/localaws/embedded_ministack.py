"""MiniStack inside this process: configured, imported on first use, emptied between servers.

MiniStack keeps its state in module globals, so one process holds at most one local AWS at a time.
"""

import asyncio
import importlib
import logging
import os
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from localaws.http_server import AsgiApp

ACCOUNT_ID = "123456789012"
_WORKER_THREADS = 64
_LOGGERS = (
    "ministack",
    "cloudformation",
    "cloudwatch",
    "dynamodb",
    "events",
    "lambda",
    "lambda_runtime",
    "s3",
    "samtranslator",
    "sns",
    "states",
    "uvicorn",
)
_in_use = threading.Lock()


class EmbeddedMiniStack:
    """The one MiniStack of this process, from `start` to `stop`."""

    def __init__(self, region: str, port: int) -> None:
        self._environment = {
            "GATEWAY_PORT": str(port),
            "MINISTACK_ACCOUNT_ID": ACCOUNT_ID,
            "MINISTACK_HOST": "127.0.0.1",
            "MINISTACK_REGION": region,
            "LOG_LEVEL": "WARNING",
            "LAMBDA_EXECUTOR": "local",
        }
        self._replaced: Mapping[str, str | None] = {}
        self._executor: ThreadPoolExecutor | None = None

    def start(self) -> AsgiApp:
        if not _in_use.acquire(blocking=False):
            raise RuntimeError("this process already runs a local AWS")
        self._replaced = {name: os.environ.get(name) for name in self._environment}
        os.environ.update(self._environment)
        try:
            _quieten()
            with _untouched_root_logger():
                app = _app()
            app._reset_all_state()
        except BaseException:
            self._release()
            raise
        serve: AsgiApp = app.app
        return serve

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let MiniStack's own threads call into the server's event loop."""
        self._executor = ThreadPoolExecutor(_WORKER_THREADS, thread_name_prefix="ministack")
        loop.set_default_executor(self._executor)
        _app()._MAIN_LOOP = loop

    def stop(self) -> None:
        app = _app()
        app._MAIN_LOOP = None
        app._reset_lock = None
        app._reset_all_state()
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
        self._release()

    def _release(self) -> None:
        for name, value in self._replaced.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        _in_use.release()


def _app() -> Any:
    return importlib.import_module("ministack.app")


def service(name: str) -> Any:
    """Return one of MiniStack's service modules; untyped, because MiniStack is."""
    return importlib.import_module(f"ministack.services.{name}")


def core(name: str) -> Any:
    return importlib.import_module(f"ministack.core.{name}")


@contextmanager
def account_scope(region: str) -> Iterator[None]:
    """Make MiniStack's stores answer for our account and this region outside a request."""
    with core("responses").request_scope(ACCOUNT_ID, region):
        yield


def _quieten() -> None:
    """Let the logs of MiniStack, the SAM translator and uvicorn reach handlers of the user's, but not stderr by default."""
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())


@contextmanager
def _untouched_root_logger() -> Iterator[None]:
    """Keep the user's root logger, which MiniStack configures on import."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    try:
        yield
    finally:
        root.setLevel(level)
        root.handlers[:] = handlers
