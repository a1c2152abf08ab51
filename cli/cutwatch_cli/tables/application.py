"""The application with one watched table, deployed to a local AWS: the base stack, a table with a stream, and its stack."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cutwatch.aws.dynamodb import Table
from cutwatch.endpoints.cutoff_store import CutoffStore, VariantCutoff
from cutwatch_cli.replay.application import staged

if TYPE_CHECKING:
    from localaws import Execution, LocalAws, Stack

BASE = "cutwatch"
# A batch write has at most this many items.
_BATCH = 25

Item = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class WatchedApplication:
    """A deployed watched table. `name` is the entry of `detectors.yaml`; its endpoint is named after the stack."""

    aws: "LocalAws"
    name: str
    base: "Stack"
    stack: "Stack"
    table: str
    stream_arn: str
    _clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """Return the operator's client of a service, the same at each call."""
        if service not in self._clients:
            config = {"read_timeout": 300} if service == "lambda" else {}
            self._clients[service] = self.aws.client(service, **config)
        return self._clients[service]

    def put(self, items: Sequence[Item]) -> None:
        """Write items to the table."""
        dynamodb = self.client("dynamodb")
        for start in range(0, len(items), _BATCH):
            requests = [{"PutRequest": {"Item": item}} for item in items[start : start + _BATCH]]
            dynamodb.batch_write_item(RequestItems={self.table: requests})

    def run(self, event: Mapping[str, Any] | None = None) -> "Execution":
        """Start the endpoint's state machine."""
        return self.stack.start("EndpointStateMachine", dict(event or {}))

    def score(self, records: Sequence[Mapping[str, Any]]) -> Any:
        """Invoke the scoring function with records of the table's stream."""
        return self.invoke(self.stack.outputs["ScoreFunction"], {"Records": list(records)})

    def invoke(self, function: str, event: Mapping[str, Any]) -> Any:
        """Invoke a function; raise RuntimeError with its error if it fails."""
        answer = self.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event))
        payload = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise RuntimeError(f"{payload['errorType']}: {payload['errorMessage']}")
        return payload

    @property
    def cutoffs(self) -> list[VariantCutoff]:
        """Stored cutoffs, newest first."""
        registry = Table(self.client("dynamodb"), self.base.outputs["RegistryTableName"])
        return CutoffStore(registry, self.name).all()


@contextmanager
def watched_application(
    aws: "LocalAws",
    declaration: Mapping[str, Any],
    parameters: Mapping[str, str] | None = None,
    stack_name: str = "",
) -> Iterator[WatchedApplication]:
    """Deploy a declaration such as an entry under `tables`, with parameters of the stack of its engine.

    Without `stack_name`, the stack has the name of the entry.
    """
    name, table = str(declaration["name"]), str(declaration["source"])
    created = aws.client("dynamodb").create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )["TableDescription"]
    arns = (created["TableArn"], created["LatestStreamArn"])
    base, stack = deploy_table(aws, declaration, arns, stack_name or name, parameters)
    yield WatchedApplication(aws, name, base, stack, table, created["LatestStreamArn"])


def deploy_table(
    aws: "LocalAws",
    declaration: Mapping[str, Any],
    arns: tuple[str, str],
    stack_name: str,
    parameters: Mapping[str, str] | None = None,
) -> tuple["Stack", "Stack"]:
    """Deploy, or update, the base stack and the stack of a declaration's engine; `arns` are those of the table and its stream."""
    own = "table_forest.yaml" if declaration.get("engine") == "forest" else "table.yaml"
    with staged([], tables=[declaration]) as template:
        base = aws.deploy(template, stack_name=BASE)
        stack = aws.deploy(
            template.parent / "stacks" / own,
            stack_name=stack_name,
            parameters={
                "WatchedTable": str(declaration["name"]),
                "BaseStack": BASE,
                "SourceTableArn": arns[0],
                "TableStreamArn": arns[1],
                **(parameters or {}),
            },
        )
    return base, stack
