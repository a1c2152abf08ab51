"""How long each function takes to start and for its first call, in Lambda's own runtime on this machine.

python3.13 -m venv /tmp/runtime
/tmp/runtime/bin/pip install -r functions/requirements.txt -r layers/numerics/requirements.txt \\
    -r layers/forests/requirements.txt awslambdaric
PYTHONPATH=functions:. .venv/bin/python benchmarks/function_start.py --python /tmp/runtime/bin/python

The runtime interface emulator is the one that the SAM CLI ships; the client is awslambdaric of that environment. Each
function gets the payload that it was last called with in a training and a transform of two detectors, one of each
engine, on the local AWS. Each repetition starts all of them anew, one after the other.
"""

import json
import os
import platform
import signal
import socket
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated, Any
from urllib.request import Request, urlopen

import samcli
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table
from workflow import TRAINING, TRANSFORM, detector, load

from cutwatch_cli.replay.application import deploy, staged
from localaws import LocalAws

BENCHMARKS = Path(__file__).parent
EMPTY = "empty_handler"
_MACHINES = {"aarch64": "arm64", "arm64": "arm64", "x86_64": "x86_64"}
_EMULATOR = (
    Path(samcli.__file__).parent / f"local/rapid/aws-lambda-rie-{_MACHINES[platform.machine()]}"
)
_PATIENCE = 120.0
Answer = Mapping[str, float]


@dataclass(frozen=True)
class Subject:
    """A function with what it is called with, and the memory that the template gives it."""

    module: str
    payload: Any
    environment: Mapping[str, str]
    memory_mb: int


def start(python: Path, subject: Subject) -> Answer:
    """Start it in a runtime of its own and call it twice."""
    port, runtime_port = _free_port(), _free_port()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [
                _EMULATOR,
                "--runtime-interface-emulator-address",
                f"127.0.0.1:{port}",
                "--runtime-api-address",
                f"127.0.0.1:{runtime_port}",
                python,
                "-m",
                "awslambdaric",
                "start_probe.handler",
            ],
            env=dict(subject.environment),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            answer: Answer = _invoke(port, subject.payload)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if "errorMessage" in answer:
            log.seek(0)
            raise RuntimeError(f"{subject.module}: {answer}\n{log.read().decode()[-4000:]}")
        return answer


def _invoke(port: int, payload: Any) -> Any:
    url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            break
        time.sleep(0.01)
    request = Request(url, json.dumps(payload).encode())
    with urlopen(request, timeout=_PATIENCE) as response:
        return json.load(response)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def _subjects() -> Iterator[Sequence[Subject]]:
    """Every function that a training and a transform called, on a local AWS that lasts as long."""
    detectors = [detector(0), detector(1, "sagemaker")]
    with LocalAws() as aws, staged(detectors) as template:
        aws.clock.move_to(TRAINING)
        stack = deploy(aws, detectors, {"DataDelayMinutes": "0"})
        load(aws, detectors)
        for rule, at in (("TrainingRule", TRAINING), ("TransformRule", TRANSFORM)):
            aws.clock.move_to(at)
            (execution,) = stack.fire(rule, at=at)
            execution.wait()
        payloads = {
            call.parameters["FunctionName"]: call.parameters["Payload"]
            for call in aws.calls.of("lambda", "Invoke")
        }
        code = template.parent / "functions"
        found = [_subject(aws, code, name, payload) for name, payload in payloads.items()]
        yield [_empty(found), *sorted(found, key=lambda one: one.module)]


def _subject(aws: LocalAws, code: Path, name: str, payload: Any) -> Subject:
    known = aws.client("lambda").get_function_configuration(FunctionName=name)
    module = known["Handler"].rpartition(".")[0]
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{code}:{BENCHMARKS}",
        "PROBED": module,
        "LAMBDA_TASK_ROOT": str(code),
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(known["MemorySize"]),
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(known["Timeout"]),
        "AWS_REGION": aws.region,
        "AWS_DEFAULT_REGION": aws.region,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        **known["Environment"]["Variables"],
        "AWS_ENDPOINT_URL": aws.endpoint_url,
    }
    return Subject(module, payload, environment, known["MemorySize"])


def _empty(subjects: Sequence[Subject]) -> Subject:
    alike = next(one for one in subjects if "TABLE_NAME" in one.environment)
    return Subject(EMPTY, {}, {**alike.environment, "PROBED": EMPTY}, alike.memory_mb)


def main(
    python: Annotated[Path, typer.Option(help="The Python that awslambdaric is installed for.")],
    repetitions: Annotated[int, typer.Option(min=1, help="Starts of each; medians are shown.")] = 7,
) -> None:
    """Print the table of docs/performance.md; processor time, so that other work on the machine counts little."""
    measured: dict[str, list[Answer]] = defaultdict(list)
    console = Console(width=120)
    with _subjects() as subjects:
        for _ in track(range(repetitions), transient=True):
            for one in subjects:
                measured[one.module].append(start(python, one))
    console.print(_table(subjects, measured))
    version = subprocess.run([python, "--version"], capture_output=True, text=True, check=True)
    console.print(f"Medians of {repetitions} starts. {version.stdout.strip()}")


def _table(subjects: Sequence[Subject], measured: Mapping[str, Sequence[Answer]]) -> Table:
    table = Table(title="Processor ms in Lambda's runtime", box=None)
    table.add_column("", no_wrap=True)
    for heading in (
        "start",
        "x empty",
        "first call",
        "second call",
        "both",
        "x empty",
        "peak MB",
        "of MB",
    ):
        table.add_column(heading, justify="right")
    for one in subjects:
        began, first = _of(measured, one.module, "start"), _of(measured, one.module, "first call")
        empty, empty_first = _of(measured, EMPTY, "start"), _of(measured, EMPTY, "first call")
        table.add_row(
            one.module,
            f"{1e3 * began:,.0f}",
            f"{began / empty:.2f}",
            f"{1e3 * first:,.0f}",
            f"{1e3 * _of(measured, one.module, 'second call'):,.0f}",
            f"{1e3 * (began + first):,.0f}",
            f"{(began + first) / (empty + empty_first):.2f}",
            f"{_of(measured, one.module, 'peak MB'):,.0f}",
            f"{one.memory_mb:,}",
        )
    return table


def _of(measured: Mapping[str, Sequence[Answer]], module: str, what: str) -> float:
    return median(answer[what] for answer in measured[module])


if __name__ == "__main__":
    typer.run(main)
