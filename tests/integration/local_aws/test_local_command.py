"""`cutwatch local`, `cutwatch fire` and `cutwatch mails`, as processes of their own."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import boto3
from typer.testing import CliRunner

from cutwatch_cli.commands.exits import USAGE_ERROR
from cutwatch_cli.main import app
from localaws import LocalAws
from tests.support.project import SEARCHED

COMMAND = [sys.executable, "-c", "from cutwatch_cli.main import main; main()", "local"]
RULE = {
    "Resources": {
        "TickRule": {
            "Type": "AWS::Events::Rule",
            "Properties": {"ScheduleExpression": "rate(1 day)"},
        }
    }
}


@contextmanager
def started(*options: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*COMMAND, "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(SEARCHED)},
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_it_prints_its_environment_serves_and_ends_cleanly_when_it_is_interrupted() -> None:
    with started("--json", "--region", "eu-west-1") as process:
        assert process.stdout is not None
        environment = json.loads(process.stdout.readline())["environment"]
        topic = boto3.client(
            "sns",
            endpoint_url=environment["AWS_ENDPOINT_URL"],
            region_name=environment["AWS_DEFAULT_REGION"],
        ).create_topic(Name="alerts")
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=300)
    assert topic["TopicArn"] == "arn:aws:sns:eu-west-1:123456789012:alerts"
    assert (process.returncode, rest, errors) == (0, "", "")


def test_stdout_is_lines_that_a_shell_can_read_and_listening_on_every_network_is_warned_of() -> (
    None
):
    with started("--host", "0.0.0.0") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        names = [process.stdout.readline().partition("=")[0] for _ in range(4)]
        assert "anyone who can reach it can run code here" in process.stderr.readline()
    assert names == [
        "export AWS_ENDPOINT_URL",
        "export AWS_ACCESS_KEY_ID",
        "export AWS_SECRET_ACCESS_KEY",
        "export AWS_DEFAULT_REGION",
    ]


def test_a_port_in_use_is_one_line_and_a_failing_exit_code() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        answer = CliRunner().invoke(app, ["local", "--port", str(port)])
    assert answer.exit_code == USAGE_ERROR
    assert answer.output == (
        f"cutwatch: cannot listen on 127.0.0.1:{port}: Address already in use\n"
    )


def test_a_region_that_aws_does_not_have_is_one_line_and_a_failing_exit_code() -> None:
    answer = CliRunner().invoke(app, ["local", "--region", "mars-1"])
    assert answer.exit_code == USAGE_ERROR
    assert answer.output == "cutwatch: --region mars-1: AWS has no such region\n"


def test_a_rule_is_fired_by_its_logical_id_and_an_unknown_one_is_named() -> None:
    with LocalAws() as aws:
        aws.client("cloudformation").create_stack(StackName="clock", TemplateBody=json.dumps(RULE))
        endpoint = ["--endpoint-url", aws.endpoint_url]
        fired = CliRunner().invoke(app, ["fire", "TickRule", *endpoint])
        unknown = CliRunner().invoke(app, ["fire", "TockRule", *endpoint])
        misdated = CliRunner().invoke(app, ["fire", "TickRule", "--at", "noon", *endpoint])
    assert (fired.exit_code, fired.output) == (0, "cutwatch: TickRule started no execution\n")
    assert unknown.exit_code == USAGE_ERROR
    assert "there is no rule TockRule; there are clock-TickRule-" in unknown.output
    assert misdated.exit_code == USAGE_ERROR
    assert misdated.output == "cutwatch: noon is not a time such as 2026-11-02T04:00:00Z\n"


def test_mails_are_printed_when_they_are_sent_and_listed_when_asked_for_until_it_is_terminated() -> (
    None
):
    with started("--json") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        url = json.loads(process.stdout.readline())["environment"]["AWS_ENDPOINT_URL"]
        empty = CliRunner().invoke(app, ["mails", "--endpoint-url", url])
        sns = boto3.client("sns", endpoint_url=url, region_name="us-east-1")
        topic = sns.create_topic(Name="alerts")["TopicArn"]
        policies = {"ops@example.com": {"severity": ["high"]}, "all@example.com": {}}
        for address, policy in policies.items():
            sns.subscribe(
                TopicArn=topic,
                Protocol="email",
                Endpoint=address,
                Attributes={"FilterPolicy": json.dumps(policy)} if policy else {},
            )
        sns.publish(
            TopicArn=topic,
            Subject="Cutwatch low: orders",
            Message="It is high.",
            MessageAttributes={"severity": {"DataType": "String", "StringValue": "low"}},
        )
        listed = CliRunner().invoke(app, ["mails", "--endpoint-url", url])
        as_json = CliRunner().invoke(app, ["mails", "--json", "--endpoint-url", url])
        process.send_signal(signal.SIGTERM)
        rest, printed = process.communicate(timeout=300)

    assert "has sent no mails" in empty.stderr
    lines = listed.stdout.splitlines()
    assert lines[0].endswith("to all@example.com, topic alerts")
    assert lines[1:] == ["Subject: Cutwatch low: orders", "", "It is high."]
    [mail] = json.loads(as_json.stdout)
    assert mail["to"] == ["all@example.com"]
    assert printed.strip() == listed.stdout.strip()
    assert (process.returncode, rest) == (0, "")
