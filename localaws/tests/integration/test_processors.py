"""A build for another processor is refused when it is deployed, not when a function imports it."""

from pathlib import Path

import pytest

from localaws import LocalAws
from localaws.deployment import DeploymentFailed
from localaws.lambda_runtime.processors import this_machine

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Processor: {Type: String}
Resources:
  Greet:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      CodeUri: code/
      Handler: app.handler
      Architectures: [!Ref Processor]
      Layers: [!Ref Numbers]
  Numbers:
    Type: AWS::Serverless::LayerVersion
    Properties:
      ContentUri: layer/
      CompatibleArchitectures: [!Ref Processor]
"""
MACHINES = {"arm64": 0xB7, "x86_64": 0x3E}
HERE = this_machine()
(ELSEWHERE,) = MACHINES.keys() - {HERE}


def library(processor: str) -> bytes:
    """The first bytes of a shared library: identification, type, machine."""
    return (
        b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00" + MACHINES[processor].to_bytes(2, "little")
    )


def build(folder: Path, code: str, layer: str) -> Path:
    for name, processor in (("code", code), ("layer/python", layer)):
        (folder / name).mkdir(parents=True)
        (folder / name / "fast.abi3.so").write_bytes(library(processor))
    (folder / "code" / "app.py").write_text("def handler(event, context):\n    return 1\n")
    template = folder / "template.yaml"
    template.write_text(TEMPLATE)
    return template


def deploy(aws: LocalAws, template: Path, processor: str, stack: str) -> None:
    aws.deploy(template, stack_name=stack, parameters={"Processor": processor})


def test_a_build_for_the_declared_processor_and_this_machine_is_deployed(
    aws: LocalAws, tmp_path: Path
) -> None:
    deploy(aws, build(tmp_path, HERE, HERE), HERE, "fitting")


@pytest.mark.parametrize(
    ("code", "layer", "part"),
    [(ELSEWHERE, HERE, "Greet"), (HERE, ELSEWHERE, "Numbers")],
    ids=["function", "layer"],
)
def test_a_build_for_another_processor_than_declared_is_refused(
    aws: LocalAws, tmp_path: Path, code: str, layer: str, part: str
) -> None:
    with pytest.raises(DeploymentFailed) as refused:
        deploy(aws, build(tmp_path, code, layer), HERE, f"declared-{part}".lower())
    assert part in str(refused.value)
    assert f"fast.abi3.so was built for {ELSEWHERE}, but " in str(refused.value)
    assert f"Architectures is {HERE}" in str(refused.value)


def test_a_build_that_this_machine_cannot_run_is_refused(aws: LocalAws, tmp_path: Path) -> None:
    with pytest.raises(DeploymentFailed, match=f"this machine, which is {HERE}: build it"):
        deploy(aws, build(tmp_path, ELSEWHERE, ELSEWHERE), ELSEWHERE, "elsewhere")


def test_an_update_to_a_build_for_another_processor_is_refused(
    aws: LocalAws, tmp_path: Path
) -> None:
    deploy(aws, build(tmp_path / "first", HERE, HERE), HERE, "updated")
    with pytest.raises(DeploymentFailed, match=f"built for {ELSEWHERE}"):
        deploy(aws, build(tmp_path / "second", ELSEWHERE, HERE), HERE, "updated")


def test_sources_without_compiled_modules_fit_every_processor(
    aws: LocalAws, tmp_path: Path
) -> None:
    template = build(tmp_path, HERE, HERE)
    for compiled in tmp_path.rglob("*.so"):
        compiled.write_text("not compiled")
    deploy(aws, template, ELSEWHERE, "sources")
