"""Starting, stopping, listening."""

import asyncio
import socket
import threading
import urllib.request
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from localaws import LocalAws
from localaws.http_server import HttpServer


@pytest.fixture(autouse=True)
def _forget() -> None:
    """These tests start servers of their own."""


def test_a_second_local_aws_in_one_process_is_refused() -> None:
    with LocalAws(), pytest.raises(RuntimeError, match="already runs a local AWS"):
        LocalAws().start()


def test_nothing_of_one_local_aws_is_left_in_the_next() -> None:
    for _ in range(2):
        with LocalAws() as aws:
            s3, table = aws.client("s3"), aws.client("dynamodb")
            assert s3.list_buckets()["Buckets"] == []
            assert table.list_tables()["TableNames"] == []
            s3.create_bucket(Bucket="left-behind")
            table.create_table(
                TableName="left-behind",
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
                KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            )


def test_it_listens_where_it_is_told() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with LocalAws(port=port) as aws:
        assert aws.endpoint_url == f"http://127.0.0.1:{port}"


def test_a_port_in_use_is_one_clear_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{port}"):
            LocalAws(port=port).start()
    with LocalAws():
        pass


def test_it_has_no_endpoint_unless_it_runs() -> None:
    with pytest.raises(RuntimeError, match="not running"):
        _ = LocalAws().endpoint_url


def test_stopping_waits_for_no_request_that_is_never_answered() -> None:
    arrived = threading.Event()

    async def never(_scope: Any, _receive: Any, _send: Any) -> None:
        arrived.set()
        await asyncio.Event().wait()

    server = HttpServer("127.0.0.1", 0)
    server.start(never)
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        assert arrived.wait(60)
        stopping = threading.Thread(target=server.stop, daemon=True)
        stopping.start()
        stopping.join(60)
        assert not stopping.is_alive()


def test_stopping_returns_the_process_to_real_time() -> None:
    with LocalAws() as aws:
        aws.clock.move_to(datetime(2014, 7, 1, tzinfo=UTC))
        assert datetime.now(UTC).year == 2014
    assert datetime.now(UTC).year > 2014


def test_what_is_no_aws_call_reaches_the_health_page() -> None:
    with (
        LocalAws() as aws,
        urllib.request.urlopen(f"{aws.endpoint_url}/_ministack/health") as response,
    ):
        assert response.status == 200
        assert len(aws.calls) == 0


@pytest.mark.parametrize("region", ["eu-central-1", "cn-north-1"])
def test_resources_are_in_the_region_asked_for(region: str) -> None:
    with LocalAws(region=region) as aws:
        topic = aws.client("sns").create_topic(Name="alerts")["TopicArn"]
    assert topic.split(":")[3] == region


def test_it_can_listen_on_every_address_and_still_be_reached_on_loopback() -> None:
    with LocalAws(host="0.0.0.0") as aws:
        assert aws.endpoint_url.startswith("http://127.0.0.1:")
        aws.client("s3").list_buckets()


def test_a_deployment_in_another_region_can_be_repeated(tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    template.write_text("Resources: {Topic: {Type: AWS::SNS::Topic}}")
    with LocalAws(region="eu-west-1") as aws:
        for _ in range(2):
            stack = aws.deploy(template, stack_name="placed")
        assert stack.physical_id("Topic").split(":")[3] == "eu-west-1"


def test_responses_are_dated_by_the_clock() -> None:
    with LocalAws() as aws:
        aws.clock.move_to(datetime(2024, 2, 29, 23, 59, 30, tzinfo=UTC))
        answer = aws.client("s3").list_buckets()
    date = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])

    assert timedelta() <= date - datetime(2024, 2, 29, 23, 59, 30, tzinfo=UTC) < timedelta(hours=1)
