"""A log stream with an endpoint on the local AWS: `cutwatch train` trains and deploys its models, and Score Kafka asks them in its own role."""

import json
import os
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from cutwatch.aws.s3 import Bucket
from cutwatch.streams.key_state import KeyState
from cutwatch.streams.model_register import ModelRegister
from cutwatch.streams.state_store import StateStore
from cutwatch.streams.trained_model import TrainedModel
from cutwatch_cli.replay.application import staged
from localaws import LocalAws
from tests.support.command_line import cutwatch
from tests.support.kafka_logs import kafka_event, log_line, raw_records
from tests.support.log_endpoints import ENDPOINT_STREAM
from tests.support.log_events import an_event, ordinary_events
from tests.support.operator_environment import operator_environment
from tests.support.policy_documents import acting_in, role_with

BASE, ENDPOINT = "cutwatch", "cutwatch-shop-log"
HOUR = 7_200.0


@dataclass
class LogApplication:
    """The deployed stream, with its function and the file that its models are trained on."""

    aws: LocalAws
    bucket: Bucket
    function: str
    folder: Path

    def records(self, seed: int, later: float = 1.0) -> Path:
        """Return a file of records; the last fifth of them takes `later` times as long."""
        events = [*ordinary_events(1_500, seed)]
        slower = [each._replace(response_time=(each.response_time or 0) * later) for each in events]
        lines = [log_line(each) for each in (*events[:1_200], *slower[1_200:])]
        file = self.folder / "access.jsonl"
        file.write_bytes(b"\n".join(lines))
        return file

    def train(self, seed: int) -> str:
        """Train on other records, and return the name of the model that serves then."""
        return self.version(self.command(self.records(seed), "--upload"))

    def version(self, result: Any) -> str:
        """Return the model version that a command printed."""
        assert result.exit_code == 0, result.output
        printed = json.loads(result.stdout)
        return str(printed.get("model_version") or printed["version"])

    def command(self, *arguments: Any) -> Any:
        """Run `cutwatch train` for the stream."""
        detectors = self.folder / "detectors.yaml"
        return cutwatch("train", *arguments, "--stream", "shop", "--detectors", detectors, "--json", "--stack", BASE)  # fmt: skip

    def endpoint_problems(self) -> list[str]:
        """Return what `cutwatch status` says of the endpoint, with the shipped policies of a viewer."""
        with acting_in("read-read-streams"):
            result = cutwatch("status", "--json", "--stack", BASE)
        assert result.stdout, result.output
        [stream] = json.loads(result.stdout)["streams"]
        return [each for each in stream["problems"] if "endpoint" in each]

    def score(self, first: int, count: int = 20) -> Any:
        """Invoke the scoring function with records, the last one slow."""
        events = [each._replace(time=each.time + HOUR + first) for each in ordinary_events(count, 3)]  # fmt: skip
        slow = an_event(time=events[-1].time + 1, method="POST", response_time=90.0)
        event = kafka_event(raw_records([*events, slow], first))
        client = self.aws.client("lambda", read_timeout=300)
        answer = client.invoke(FunctionName=self.function, Payload=json.dumps(event))
        payload = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, payload
        return payload

    @property
    def state(self) -> KeyState:
        return StateStore(self.bucket, ENDPOINT_STREAM).load(0).bucket.states[""]

    @property
    def served(self) -> str:
        """Model that the newest record was scored by."""
        register = ModelRegister(self.bucket, ENDPOINT_STREAM)
        for each in register.read().versions:
            content = self.bucket.read_bytes(register.model_key(each.version))
            if TrainedModel.from_bytes(ENDPOINT_STREAM, content).version == self.state.model:
                return each.version
        raise AssertionError("the state has a model that is not stored")


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LogApplication]:
    folder = tmp_path_factory.mktemp("log")
    with LocalAws(event_sources=False) as aws, staged([], streams=[ENDPOINT_STREAM]) as template:
        aws.sagemaker.endpoint_seconds = 300
        # No broker: the test invokes the function with the events of a mapping.
        cluster = aws.client("kafka").create_cluster(
            ClusterName="shop",
            KafkaVersion="4.1.1",
            NumberOfBrokerNodes=2,
            BrokerNodeGroupInfo={"ClientSubnets": ["subnet-1"], "InstanceType": "kafka.m7g.large"},
        )["ClusterArn"]
        base = aws.deploy(template, stack_name=BASE)
        stack = aws.deploy(
            template.parent / "stacks" / "kafka_stream.yaml",
            stack_name="cutwatch-shop",
            parameters={
                "StreamName": "shop",
                "BaseStack": BASE,
                "Topic": "shop-access",
                "MskClusterArn": cluster,
                "Authentication": "IAM",
                "EndpointName": ENDPOINT,
                "NotificationSeverity": "low",
            },
        )
        (folder / "detectors.yaml").write_text((template.parent / "functions/detectors.yaml").read_text())  # fmt: skip
        # The clock sets TZ, which it must find again when it is restored.
        aws.clock.advance(1)
        role_with(aws, "read", "read-streams", stack=BASE)
        with (
            chdir(folder),
            patch.dict(os.environ, operator_environment(aws) | {"AWS_SESSION_TOKEN": ""}),
            patch("cutwatch_cli.stacks.deployed_endpoint.sleep", aws.clock.advance),
        ):
            bucket = Bucket(aws.client("s3"), base.outputs["DataBucketName"])
            yield LogApplication(aws, bucket, stack.outputs["ScoreFunction"], folder)


@pytest.mark.slow
def test_models_are_trained_deployed_asked_renewed_and_rolled_back(
    application: LogApplication,
) -> None:
    assert application.endpoint_problems() == [
        f"endpoint {ENDPOINT} does not exist, so records wait in the topic; train the first model by cutwatch train FILE --stream shop --upload"
    ]
    first = application.train(1)
    assert application.endpoint_problems() == []
    assert application.score(0) == {"batchItemFailures": []}
    assert application.served == first
    assert application.state.incident is not None

    second = application.train(2)
    assert second != first
    assert application.score(100) == {"batchItemFailures": []}
    assert application.served == second

    assert application.version(application.command("--roll-back", "previous")) == first
    assert application.score(200) == {"batchItemFailures": []}
    assert application.served == first
    totals = StateStore(application.bucket, ENDPOINT_STREAM).load(0).bucket.totals
    assert (totals.accepted, totals.late) == (63, 0)

    # As if the command had been interrupted when the first model served again: it does not turn to the second one.
    register = ModelRegister(application.bucket, ENDPOINT_STREAM)
    register.roll_back(second)
    assert application.version(application.command("--roll-back", "previous")) == first
    assert register.read().version == first


@pytest.mark.slow
def test_what_fails_leaves_the_model_before_and_the_next_attempt_goes_on(
    application: LogApplication,
) -> None:
    before = application.train(4)
    register = ModelRegister(application.bucket, ENDPOINT_STREAM)
    application.aws.sagemaker.fail(lambda name: "-shop-" in name, times=1)

    failed = application.command(application.records(5), "--upload")
    assert failed.exit_code == 2
    assert "ended Failed" in failed.stderr
    assert register.read().version == before

    refused = application.command(application.records(6, later=30.0), "--upload")
    assert refused.exit_code == 2
    assert "of the newest records anomalous, more than 5%; model" in refused.stderr
    assert register.read().version == before

    # The same command again: what had failed is tried again, and what had completed is not.
    after = application.train(5)
    assert register.read().version == after != before
    assert application.train(4) == before


@pytest.mark.slow
def test_an_endpoint_that_fails_for_a_moment_is_asked_again(application: LogApplication) -> None:
    application.train(4)
    application.aws.sagemaker.fail(lambda name: name == f"{ENDPOINT}/invocations", times=2)

    assert application.score(300) == {"batchItemFailures": []}
