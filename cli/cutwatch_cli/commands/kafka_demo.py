"""`cutwatch demo --stream kafka` on the terminal."""

import json
import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import typer
from rich.console import Console

from cutwatch_cli.commands.exits import FAILURE, USAGE_ERROR, end
from cutwatch_cli.replay.application import PROJECT

_PACKAGES = ("confluent_kafka", "function_consumer")


def show_kafka_demo(output: Path, seed: int, *, as_json: bool) -> None:
    """Run the demo with Apache Kafka itself, print what was found, and store the page of the hour with the most anomalies."""
    jars = Path(os.environ.get("KAFKA_JARS", PROJECT / "build" / "kafka"))
    if missing := [*missing_parts(jars)]:
        end(f"cutwatch demo --stream kafka runs Apache Kafka itself; missing: {', '.join(missing)}", USAGE_ERROR)  # fmt: skip
    from cutwatch_cli.access_logs.demo_log import shop_log
    from cutwatch_cli.access_logs.kafka_demo import run_demo
    from cutwatch_cli.access_logs.kafka_demo_presentation import present
    from cutwatch_cli.streams.demo_presentation import with_progress
    from localaws.kafka.broker import KafkaBroker
    from localaws.kafka.fetch import KafkaUnavailable

    console = Console(highlight=False, soft_wrap=True, stderr=as_json)
    try:
        with KafkaBroker(jars) as broker:
            outcome = with_progress(console, lambda show: run_demo(shop_log(seed), broker, show))
    except KafkaUnavailable as error:
        end(" ".join(str(error).split()), FAILURE)
    output.mkdir(parents=True, exist_ok=True)
    page = output / "hour-report.html"
    page.write_bytes(outcome.page)
    if as_json:
        typer.echo(json.dumps(outcome.to_payload(), indent=2))
    else:
        present(console, outcome)
        console.print(f"The report of the hour with the most anomalies: {page}")


def missing_parts(jars: Path) -> Iterator[str]:
    """Yield what the demo lacks, each with how to get it; `jars` is the directory of Kafka's files."""
    if not all(find_spec(name) for name in _PACKAGES):
        yield "its client (pip install ./consumer ./localaws)"
    if shutil.which("java") is None:
        yield "java in PATH (install Java 17 or newer)"
    if not any(jars.glob("kafka_2.13-*.jar")):
        yield f"its files in {jars} (make kafka fetches them; it needs Maven)"
