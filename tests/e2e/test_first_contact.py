"""A new user types what README.md shows, in its order, in a fresh copy: from the first backtest to the first silence."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import yaml

from tests.support.documents import shown
from tests.support.local_server import cutwatch_local
from tests.support.project import PROJECT
from tests.support.reader import Reader, Typed, missing_tools

README = PROJECT / "README.md"
# By how a command begins; tests/e2e/test_documents.py has the reasons.
LEFT_OUT = ("make ", "sam build", "sam deploy --guided", "sam local invoke")
PERIOD, DAYS = 300, 40
REQUESTS = {
    "name": "requests",
    "namespace": "AWS/ApplicationELB",
    "metric": "RequestCount",
    "statistic": "Sum",
    "dimensions": {"LoadBalancer": "app/web/1"},
}


def write_past(path: Path) -> Path:
    """Forty days at five minutes up to now, with a spike two days ago."""
    count = DAYS * 86_400 // PERIOD
    positions = np.arange(count)
    values = 100 + 20 * np.sin(2 * np.pi * positions * PERIOD / 86_400)
    values += np.random.default_rng(1).normal(0, 2, count)
    values[-2 * 86_400 // PERIOD :][:6] = 400
    last = int(datetime.now(UTC).timestamp()) // PERIOD * PERIOD
    first = datetime.fromtimestamp(last, UTC) - timedelta(seconds=PERIOD * count)
    rows = [
        f"{first + timedelta(seconds=PERIOD * n):%Y-%m-%dT%H:%M:%SZ},{value:.3f}"
        for n, value in enumerate(values)
    ]
    path.write_text("\n".join(["timestamp,value", *rows]) + "\n")
    return path


def printed(typed: list[Typed], start: str) -> str:
    """What the first command that begins like this printed."""
    return next(each.printed for each in typed if each.command.startswith(start))


@pytest.mark.slow
@pytest.mark.skipif(missing_tools() is not None, reason=str(missing_tools()))
def test_the_readmes_commands_work_as_printed_one_after_the_other(tmp_path: Path) -> None:
    commands = [one.command for one in shown(README) if not one.command.startswith(LEFT_OUT)]
    shipped = yaml.safe_load((PROJECT / "functions" / "detectors.yaml").read_text())
    known = tmp_path / "known.yaml"
    known.write_text(yaml.safe_dump({"detectors": [*shipped["detectors"], REQUESTS]}))
    pasts = [write_past(tmp_path / f"{name}.csv") for name in ("lambda-invocations", "requests")]
    options = [part for past in pasts for part in ("--load", str(past))]
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    with cutwatch_local("--skip-waits", "--detectors", str(known), *options) as server:
        account = {k: v for k, v in server.environment.items() if k.startswith("AWS_")}
        reader = Reader(checkout, account)
        write_past(checkout / "my-metric.csv")
        typed = reader.type(commands, answers="y\n")

    failures = [(each.command, each.printed) for each in typed if each.code]
    assert failures == []
    assert len(typed) == len(commands)
    assert "Successfully created/updated stack - cutwatch-dev" in printed(typed, "sam deploy")
    assert "1 PUBLISHED" in printed(typed, "cutwatch start transform")
    assert "none with problems" in printed(typed, "cutwatch status")
    assert "lambda-invocations" in printed(typed, "cutwatch events")
    assert (checkout / "build" / "report.html").exists()
    assert (checkout / "build" / "history" / "invocations.csv").exists()
    assert "lambda-invocations" in printed(typed, "cutwatch silence")
    assert '"BUCKET_NAME"' in (checkout / "environment.json").read_text()
