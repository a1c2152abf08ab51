"""A stack with packages for another processor, which AWS deploys without complaint: start and status name the build."""

import json
import os
from collections.abc import Iterator
from unittest.mock import patch

import pytest
from typer.testing import CliRunner, Result

from cutwatch.registry.registry import Registry
from cutwatch_cli.main import app
from cutwatch_cli.replay.application import staged
from localaws import LocalAws
from tests.support.fleet import FIRST_TRANSFORM, Fleet, detector

# As Lambda reports it; the message of the dynamic linker is the same for every package.
BROKEN = 'raise ImportError("/var/task/krcf/krcf.abi3.so: invalid ELF header")\n'
REMEDY = "Run sam build --parameter-overrides Architecture=arm64, then sam deploy."


@pytest.fixture(scope="module")
def shop() -> Iterator[Fleet]:
    with LocalAws() as aws:
        aws.clock.move_to(FIRST_TRANSFORM)
        with staged([detector("checkout", engine="lambda")], {}) as template:
            for function in ("list_detectors", "summarize_run"):
                (template.parent / "functions" / f"{function}.py").write_text(BROKEN)
            stack = aws.deploy(template, stack_name="cutwatch", parameters={}, tags={})
        registry = Registry(aws.client("dynamodb"), stack.outputs["RegistryTableName"])
        yield Fleet(aws, stack, registry)


def cutwatch(shop: Fleet, *arguments: str) -> Result:
    with patch.dict(os.environ, shop.operators_environment()):
        return CliRunner().invoke(app, list(arguments))


@pytest.mark.slow
def test_start_and_status_name_the_build_and_the_processor(shop: Fleet) -> None:
    started = cutwatch(shop, "start", "transform", "--wait")

    assert started.exit_code == 1
    assert "invalid ELF header" in started.stdout
    assert started.stdout.splitlines()[-1].endswith(REMEDY)

    shown = cutwatch(shop, "status")
    assert shown.exit_code == 1
    assert "transform started 2026-06-08 03:00 FAILED: Runtime.ImportModuleError" in shown.stdout
    assert REMEDY in shown.stdout

    failed_runs = json.loads(cutwatch(shop, "status", "--json").stdout)["failed_runs"]
    assert failed_runs[-1].endswith(REMEDY)
