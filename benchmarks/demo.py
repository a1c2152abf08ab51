"""Where the seconds of `make demo` go, once it has been set up.

PYTHONPATH=functions:. .venv/bin/python benchmarks/demo.py

Each repetition is a `cutwatch demo` in a process of its own, with a stopwatch around its parts. Processor time is that
of the whole demo, its functions' processes included (from /proc, so on Linux only): other work counts little there.
"""

import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass, field
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Annotated, Any
from unittest.mock import patch

import typer
from function_processes import FunctionProcesses
from rich.console import Console
from rich.table import Table

# Each part with what it calls. The parts do not overlap, and leave out little of the whole.
_PARTS: Mapping[str, Sequence[str]] = {
    "generate the data": (
        "cutwatch_cli.replay.demo_data.active_users",
        "cutwatch_cli.csv_files.csv_series.write_csv",
    ),
    "start the local AWS": ("localaws.LocalAws.start",),
    "deploy": ("cutwatch_cli.replay.replay.deploy",),
    "load the metric": ("localaws.cloudwatch.service.CloudWatch.load_series",),
    "executions": ("cutwatch_cli.replay.replay._execute",),
    "read back": ("cutwatch_cli.replay.replay._read_back",),
    "stop the local AWS": ("localaws.LocalAws.stop",),
    "report": ("cutwatch_cli.replay.presentation.write_page",),
}
_IMPORTED = (
    "cutwatch_cli.main",
    "cutwatch_cli.commands.replaying",
    "cutwatch_cli.csv_files.csv_series",
    "cutwatch_cli.replay.demo_data",
    "cutwatch_cli.replay.presentation",
    "localaws",
)


@dataclass
class Stopwatch:
    """Seconds by the clock and of processors, by part; a part that runs several times is added up."""

    functions: FunctionProcesses
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    processor: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @contextmanager
    def timing(self, part: str) -> Iterator[None]:
        processor, started = self._processor(), time.perf_counter()
        try:
            yield
        finally:
            self.seconds[part] += time.perf_counter() - started
            self.processor[part] += self._processor() - processor

    def _processor(self) -> float:
        return time.process_time() + sum(self.functions.processor_seconds().values())

    def timed(self, part: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **named: Any) -> Any:
            with self.timing(part):
                return work(*arguments, **named)

        return wrapped


def measure(_: int) -> tuple[dict[str, float], dict[str, float]]:
    """Run the demo in this process, which must not have imported it before."""
    watch = Stopwatch(FunctionProcesses())
    with ExitStack() as stack, watch.timing("all"):
        stack.enter_context(redirect_stdout(stack.enter_context(Path(os.devnull).open("w"))))
        with watch.timing("imports"):
            for module in _IMPORTED:
                import_module(module)
        for part, targets in _PARTS.items():
            for target in targets:
                _time(stack, watch, part, target)
        folder = Path(stack.enter_context(TemporaryDirectory()))
        import_module("cutwatch_cli.commands.demo").demo(output=folder, seed=7)
    return dict(watch.seconds), dict(watch.processor)


def _time(stack: ExitStack, watch: Stopwatch, part: str, target: str) -> None:
    owner, _, name = target.rpartition(".")
    module, _, class_name = owner.rpartition(".")
    is_class = class_name[0].isupper()
    holder = getattr(import_module(module), class_name) if is_class else import_module(owner)
    stack.enter_context(patch.object(holder, name, watch.timed(part, getattr(holder, name))))


def main(
    repetitions: Annotated[int, typer.Option(min=1, help="Demos; medians are shown.")] = 5,
) -> None:
    """Print the table of docs/performance.md."""
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as apart:
        done = list(apart.map(measure, range(repetitions)))
    table = Table(title=f"make demo, medians of {repetitions}", box=None)
    table.add_column("", no_wrap=True)
    for heading in ("seconds", "processor s"):
        table.add_column(heading, justify="right")
    for part in ("imports", *_PARTS, "all"):
        spent = (median(one.get(part, 0) for one in kind) for kind in zip(*done, strict=True))
        table.add_row(part, *(f"{each:.2f}" for each in spent))
    console = Console(width=120)
    console.print(table)
    console.print(f"Python {sys.version.split()[0]}")


if __name__ == "__main__":
    typer.run(main)
