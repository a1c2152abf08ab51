"""Streams and functions on event source mappings, for tests."""

import itertools
import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, ClassVar

from localaws import LocalAws
from support.functions import create_function
from support.roles import create_role

# Logs the data of each batch. Data of a record tell it what to do: "poison" raises, "report" reports itself.
HANDLER = """
    import base64, json

    def handler(event, context):
        texts = [base64.b64decode(r["kinesis"]["data"]).decode() for r in event["Records"]]
        source = event.get("eventSourceARN") or event["Records"][0]["eventSourceARN"]
        final, state = event.get("isFinalInvokeForWindow"), event.get("state")
        print("GOT " + json.dumps([source, texts, final, state]))
        if "poison" in texts:
            raise ValueError("poison")
        failed = [r for r, text in zip(event["Records"], texts) if text == "report"]
        return {
            "batchItemFailures": [{"itemIdentifier": r["kinesis"]["sequenceNumber"]} for r in failed],
            "state": {"count": event.get("state", {}).get("count", 0) + len(texts)},
        }
"""
LAMBDA = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
READING = (
    "kinesis:DescribeStream",
    "kinesis:DescribeStreamSummary",
    "kinesis:GetRecords",
    "kinesis:GetShardIterator",
    "kinesis:ListShards",
)
_numbers = itertools.count()


def allowed(actions: Iterable[str], resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource}


@cache
def client(aws: LocalAws, service: str) -> Any:
    return aws.client(service)


class Scene:
    """A stream, a role that may read it, a function in that role, and a mapping between the two.

    The function logs whose records it got, so scenes of one local AWS share it, unless one asks for its own. There is no
    function without source.
    """

    _shared: ClassVar[dict[tuple[LocalAws, str], tuple[str, str]]] = {}

    def __init__(
        self,
        aws: LocalAws,
        shards: int = 1,
        source: str | None = HANDLER,
        *,
        shares_function: bool = True,
    ) -> None:
        self.aws = aws
        self.kinesis = client(aws, "kinesis")
        self.functions = client(aws, "lambda")
        number = next(_numbers)
        self.stream = f"stream-{number}"
        self.kinesis.create_stream(StreamName=self.stream, ShardCount=shards)
        summary = self.kinesis.describe_stream_summary(StreamName=self.stream)
        self.arn = str(summary["StreamDescriptionSummary"]["StreamARN"])
        known = self._shared.get((aws, source or "")) if shares_function else None
        self.function, self.role = known or (f"function-{number}", f"role-{number}")
        if known is None:
            role = create_role(aws, self.role, LAMBDA, [allowed(READING, self.arn)])
            if source is not None:
                create_function(aws, role, self.function, source)
                self._shared[aws, source] = self.function, self.role
        self.allow(allowed(READING, self.arn))

    def map(self, **settings: Any) -> str:
        """Create a mapping that starts at the oldest record, if the settings say nothing else."""
        created = self.functions.create_event_source_mapping(
            FunctionName=self.function,
            **{"EventSourceArn": self.arn, "StartingPosition": "TRIM_HORIZON", **settings},
        )
        return str(created["UUID"])

    def put(self, *texts: str, key: str = "key", hash_key: int | None = None) -> list[str]:
        """Put records and return their sequence numbers."""
        explicit = {} if hash_key is None else {"ExplicitHashKey": str(hash_key)}
        answers = [
            self.kinesis.put_record(StreamName=self.stream, Data=text, PartitionKey=key, **explicit)
            for text in texts
        ]
        return [answer["SequenceNumber"] for answer in answers]

    def shards(self) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = self.kinesis.list_shards(StreamName=self.stream)["Shards"]
        return found

    def read(self, shard: str, **where: Any) -> Mapping[str, Any]:
        """Read a shard once, from its oldest record on if nothing else is said."""
        iterator = self.kinesis.get_shard_iterator(
            StreamName=self.stream,
            ShardId=shard,
            **{"ShardIteratorType": "TRIM_HORIZON", **where},
        )["ShardIterator"]
        answer: Mapping[str, Any] = self.kinesis.get_records(ShardIterator=iterator)
        return answer

    def invocations(self) -> list[list[Any]]:
        """What each invocation has seen: its texts, whether it ended a window, and the window's state."""
        found = [json.loads(line) for line in self.logged()]
        return [seen for source, *seen in found if source == self.arn]

    def logged(self) -> list[str]:
        """What the function has logged behind the word GOT."""
        group = f"/aws/lambda/{self.function}"
        logs = client(self.aws, "logs")
        if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
            return []
        events = logs.filter_log_events(logGroupName=group, filterPattern="GOT")["events"]
        return [event["message"].partition("GOT ")[2] for event in events]

    def batches(self) -> list[list[str]]:
        return [texts for texts, _, _ in self.invocations()]

    def queue(self) -> tuple[str, str]:
        """Create a queue that the function's role may send to; its URL and its ARN."""
        sqs = client(self.aws, "sqs")
        url = sqs.create_queue(QueueName=f"dead-{self.stream}")["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        arn = attributes["Attributes"]["QueueArn"]
        self.allow(allowed(READING, self.arn), allowed(["sqs:SendMessage"], arn))
        return url, arn

    def allow(self, *statements: Mapping[str, Any]) -> None:
        """Let these statements be all that the function may do."""
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        client(self.aws, "iam").put_role_policy(
            RoleName=self.role, PolicyName="all", PolicyDocument=json.dumps(document)
        )

    def messages(self, url: str) -> list[Mapping[str, Any]]:
        received = client(self.aws, "sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in received.get("Messages", [])]
