"""The consumer as a process: settings from the environment, one loop, an orderly end on SIGTERM."""

import json
import logging
import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from function_consumer.beginning import NoBeginning, begin
from function_consumer.connection import InvalidSecret, connection, iam_connection
from function_consumer.failures import message, send
from function_consumer.loop import FunctionFailed, Loop, NotInvoked, Subscription
from function_consumer.queue import Discard, Settings
from function_consumer.records import Origin

_log = logging.getLogger("function_consumer")
_SECONDS_TO_READ = 1.0
# A function runs for 15 minutes at most.
_INVOCATION = Config(read_timeout=910, retries={"total_max_attempts": 1})
_USAGE_ERROR, _CANNOT_BEGIN = 2, 1


class InvalidSetting(Exception):
    """A variable of the environment that is missing or has no valid value."""


@dataclass(frozen=True)
class Process:
    """What the environment says."""

    subscription: Subscription
    settings: Settings
    function: str
    on_failure: str
    heartbeat: Path | None
    starts_at_end: bool

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> "Process":
        """Return what the environment says. Raises `InvalidSetting` and `InvalidSecret`."""
        group = _text(environment, "GROUP_ID")
        start = environment.get("STARTING_POSITION", "TRIM_HORIZON")
        if start not in _STARTS:
            raise InvalidSetting(f"STARTING_POSITION is {start}; expected TRIM_HORIZON or LATEST")
        heartbeat = environment.get("HEARTBEAT_FILE")
        return cls(
            Subscription(_topics(environment), group, _connection(environment)),
            Settings(
                batch_size=_number(environment, "BATCH_SIZE", 1_000, 1),
                batching_seconds=_number(environment, "BATCHING_WINDOW_SECONDS", 1, 0),
                bisect=True,
                retries=_number(environment, "MAXIMUM_RETRY_ATTEMPTS", -1, -1),
                record_age_seconds=_number(environment, "MAXIMUM_RECORD_AGE_SECONDS", -1, -1),
                reports_failures=True,
            ),
            _text(environment, "FUNCTION_NAME"),
            environment.get("ON_FAILURE", ""),
            Path(heartbeat) if heartbeat else None,
            start == "LATEST",
        )


_STARTS = ("TRIM_HORIZON", "LATEST")


def _text(environment: Mapping[str, str], name: str) -> str:
    if not environment.get(name):
        raise InvalidSetting(f"{name} is missing")
    return environment[name]


def _topics(environment: Mapping[str, str]) -> list[str]:
    text = _text(environment, "TOPICS")
    topics = [each.strip() for each in text.split(",")]
    if not all(topics) or len({*topics}) < len(topics):
        raise InvalidSetting(f"TOPICS is {text}; expected different topics separated by commas")
    return topics


def _number(environment: Mapping[str, str], name: str, default: int, least: int) -> int:
    text = environment.get(name, str(default))
    try:
        number = int(text)
    except ValueError:
        number = least - 1
    if number < least:
        raise InvalidSetting(f"{name} is {text}; expected an integer of at least {least}")
    return number


def _connection(environment: Mapping[str, str]) -> dict[str, Any]:
    servers = _text(environment, "BOOTSTRAP_SERVERS")
    kind = environment.get("AUTHENTICATION") or None
    if kind == "IAM":
        return iam_connection(servers, _text(environment, "AWS_REGION"))
    secrets = boto3.client("secretsmanager") if kind or environment.get("ROOT_CA_SECRET") else None
    secret = _secret(secrets, environment.get("SECRET", "")) if kind else ""
    return connection(servers, kind, secret, _secret(secrets, environment.get("ROOT_CA_SECRET")))


def _secret(secrets: Any, name: str | None) -> str:
    if not name:
        return ""
    text: str = secrets.get_secret_value(SecretId=name)["SecretString"]
    return text


class Function:
    """Invokes a function; `client` is boto3's of Lambda."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    def __call__(self, event: Mapping[str, Any]) -> Any:
        """Return the function's answer. Raises `NotInvoked` and `FunctionFailed`."""
        try:
            answer = self._client.invoke(FunctionName=self._name, Payload=json.dumps(event))
        except (BotoCoreError, ClientError) as error:
            raise NotInvoked(str(error)) from error
        payload = answer["Payload"].read()
        if "FunctionError" in answer:
            raise FunctionFailed(payload.decode(errors="replace")[:200])
        return json.loads(payload or b"null")


class Failures:
    """Takes records that were given up: into the log, and to a queue's URL or a topic's ARN."""

    def __init__(self, process: Process, origin: Origin) -> None:
        self._function = process.function
        self._destination = process.on_failure
        self._origin = origin

    def __call__(self, discard: Discard) -> None:
        body = message(discard, self._origin, self._function, time.time())
        _log.error("records were given up: %s", json.dumps(body["KafkaBatchInfo"]))
        if self._destination:
            is_topic = self._destination.startswith("arn:")
            client = boto3.client("sns") if is_topic else boto3.client("sqs")
            send(client, self._destination, body)


class Stop:
    """Turns true when the process is asked to end."""

    def __init__(self) -> None:
        self._asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def __bool__(self) -> bool:
        return self._asked

    def _ask(self, _: int, __: FrameType | None) -> None:
        self._asked = True


def run(loop: Loop, stop: Stop, heartbeat: Path | None) -> None:
    """Run until the process is asked to end; the batch that is out is finished and committed first."""
    told = ""
    try:
        while not stop:
            loop.step(_SECONDS_TO_READ)
            if loop.problem.text != told:
                told = loop.problem.text
                _log.warning("%s", told or "records can be read again")
            if heartbeat:
                heartbeat.touch()
    finally:
        loop.close()


def main() -> None:
    """Read the environment and run."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        process = Process.from_env(os.environ)
    except (InvalidSetting, InvalidSecret) as error:
        _log.error("%s", error)
        sys.exit(_USAGE_ERROR)
    if process.starts_at_end:
        try:
            begin(process.subscription)
        except NoBeginning as error:
            _log.error("the group cannot begin at LATEST: %s", error)
            sys.exit(_CANNOT_BEGIN)
    servers = str(process.subscription.connection["bootstrap.servers"])
    origin = Origin(servers, os.environ.get("CLUSTER_ARN") or None)
    function = Function(boto3.client("lambda", config=_INVOCATION), process.function)
    failures = Failures(process, origin)
    loop = Loop(process.subscription, process.settings, origin, function, failures, time.time)
    run(loop, Stop(), process.heartbeat)
