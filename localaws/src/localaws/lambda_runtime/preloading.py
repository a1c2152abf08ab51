"""Imports, parsed models and look-ups that every environment needs, made once before the first fork.

Part of the runtime's script, which imports nothing of the local AWS.
"""

import gc
import importlib
import os
from contextlib import suppress
from dataclasses import make_dataclass
from functools import cache
from inspect import isfunction
from typing import Any

# Nothing that looks at the environment when it is imported.
_PRELOADED_MODULES = (
    "annotated_types",
    "asyncio",
    "aws_lambda_powertools.logging",
    "aws_lambda_powertools.metrics",
    "aws_lambda_powertools.utilities.typing",
    "boto3.dynamodb.types",
    "numpy.ma",
    "numpy.typing",
    "requests",
    "sqlite3",
    "time_machine",
    "wrapt",
    "yaml",
)
# Imports and clients allocate what stays: collections in between find nothing.
_ALLOCATIONS_BETWEEN_COLLECTIONS = 20_000
_PRELOADED_CLIENTS = ("cloudwatch", "dynamodb", "s3", "sagemaker", "sns", "stepfunctions")


def preload() -> None:
    """Import, parse and look up; leave out packages that are not installed."""
    for name in _PRELOADED_MODULES:
        with suppress(ImportError):
            importlib.import_module(name)
    with suppress(ImportError):
        _preload_validation()
    with suppress(ImportError):
        _preload_tracing()
    with suppress(ImportError):
        _preload_service_models()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS_BETWEEN_COLLECTIONS)


def _preload_validation() -> None:
    """Let pydantic import what it imports with its first validator, and look for its plugins."""
    import pydantic  # noqa: PLC0415 - the functions' own, if they have one

    pydantic.TypeAdapter(make_dataclass("Any", [("number", int)]))


def _preload_tracing() -> None:
    """Import the X-Ray SDK as in a function; `_start_tracing` lets it look at the environment again."""
    os.environ["LAMBDA_TASK_ROOT"] = "/var/task"
    importlib.import_module("aws_xray_sdk.ext.botocore.patch")


def _preload_service_models() -> None:
    import boto3  # noqa: PLC0415 - the functions' own, if they have one
    import botocore.session  # noqa: PLC0415

    _remember_event_aliases()
    _remember_signatures()
    # One loader for all sessions: each would list the folders of all services and parse the models again.
    botocore.session.create_loader = cache(botocore.session.create_loader)
    session = boto3.Session("local", "local", region_name="us-east-1")
    for service in _PRELOADED_CLIENTS:
        session.client(service)  # type: ignore[call-overload]


def _remember_event_aliases() -> None:
    """Translate an event's name once for all clients: each of them registers the same hundreds of handlers."""
    from botocore.hooks import EVENT_ALIASES, EventAliaser  # noqa: PLC0415 - as above

    aliasers: Any = EventAliaser
    initialize = aliasers.__init__
    translated: dict[str, str] = {}

    def initialize_with_translations(aliaser: Any, *arguments: Any, **named: Any) -> None:
        initialize(aliaser, *arguments, **named)
        if aliaser._event_aliases == EVENT_ALIASES:
            aliaser._alias_name_cache = translated

    aliasers.__init__ = initialize_with_translations


def _remember_signatures() -> None:
    """Look once whether a function takes keywords; botocore asks it of each of its handlers for each session."""
    import botocore.hooks  # noqa: PLC0415 - as above

    hooks: Any = botocore.hooks
    look = hooks.accepts_kwargs
    looked = cache(look)
    hooks.accepts_kwargs = lambda handler: (looked if isfunction(handler) else look)(handler)
