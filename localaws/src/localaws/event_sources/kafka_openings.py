"""Opening a Kafka cluster as the source of a mapping, in the name of the function's role, or refusing to."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from function_consumer.beginning import NoBeginning, begin
from function_consumer.connection import InvalidSecret, connection
from function_consumer.loop import Subscription
from function_consumer.records import Origin
from localaws.embedded_ministack import account_scope, service
from localaws.event_sources import kafka_requests
from localaws.event_sources.requests import destination_of, refused
from localaws.event_sources.sending import check_sending
from localaws.iam.needs import Need
from localaws.iam.permissions import AccessDenied, Permissions, role_name

_CLUSTER_ACTIONS = ("kafka:DescribeClusterV2", "kafka:GetBootstrapBrokers")
_NETWORK_ACTIONS = (
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
)
_IAM_ACTIONS = {
    "cluster": ("Connect",),
    "topic": ("DescribeTopic", "ReadData"),
    "group": ("AlterGroup", "DescribeGroup"),
}
_NETWORK = frozenset({"VPC_SUBNET", "VPC_SECURITY_GROUP"})
_CLIENT_ERROR = 400
# New partitions and members are noticed at once; sessions stay as long as ever, however busy the machine is.
_QUICKLY = {"topic.metadata.refresh.interval.ms": 500, "heartbeat.interval.ms": 500}
_ROOT_CA, _SCRAM = "SERVER_ROOT_CA_CERTIFICATE", "SASL_SCRAM_512_AUTH"


@dataclass(frozen=True)
class KafkaOpening:
    """A subscription and the origin of its events; `client` returns a client of the function's role."""

    subscription: Subscription
    origin: Origin
    client: Callable[[str], Any]


class KafkaOpenings:
    """`client_of` returns a client of a role, by the role's ARN and the service's name."""

    def __init__(
        self, region: str, permissions: Permissions, client_of: Callable[[str, str], Any]
    ) -> None:
        self._region = region
        self._permissions = permissions
        self._client_of = client_of

    def open(self, record: Mapping[str, Any], role: str) -> KafkaOpening:
        """Check the role's permissions, find the brokers, sign in, and fix where a new group begins."""
        self._permissions.forget()
        check_sending(self._permissions, destination_of(record), role)
        servers = self._servers(record, role)
        subscription = Subscription(
            record["Topics"],
            kafka_requests.group_of(record),
            self._connection(record, role, servers),
        )
        self._begin(record, subscription)
        origin = Origin(servers, record.get("EventSourceArn"))
        return KafkaOpening(subscription, origin, lambda name: self._client_of(role, name))

    def _begin(self, record: Mapping[str, Any], subscription: Subscription) -> None:
        position = record["StartingPosition"]
        if position == "TRIM_HORIZON":
            return
        moment = float(record["StartingPositionTimestamp"]) if position == "AT_TIMESTAMP" else None
        try:
            begin(subscription, moment)
        except NoBeginning as error:
            raise refused(f"Connection error: {error}") from None

    def _servers(self, record: Mapping[str, Any], role: str) -> str:
        access = kafka_requests.access_of(record)
        arn = record.get("EventSourceArn")
        if arn is None or _NETWORK & access.keys():
            self._demand(role, [Need(action, "*") for action in _NETWORK_ACTIONS if access.keys() & _NETWORK])  # fmt: skip
        if arn is None:
            return kafka_requests.servers_of(record)
        self._demand(role, [Need(action, arn) for action in _CLUSTER_ACTIONS])
        self._demand(role, [Need(action, "*") for action in _NETWORK_ACTIONS])
        if _SCRAM in access:
            self._demand(role, [Need("kafka:ListScramSecrets", arn)])
        if not access:
            self._demand(role, _iam_needs(arn, record))
        answer = self._stored("msk", "_get_bootstrap_brokers", arn)
        return str(answer[_bootstrap_of(access)])

    def _connection(self, record: Mapping[str, Any], role: str, servers: str) -> dict[str, Any]:
        access = {
            kind: uri
            for kind, uri in kafka_requests.access_of(record).items()
            if kind not in _NETWORK
        }
        root_ca = self._secret(role, access.pop(_ROOT_CA)) if _ROOT_CA in access else ""
        kind, uri = next(iter(access.items()), (None, ""))
        secret = self._secret(role, uri) if kind else ""
        try:
            settings = connection(servers, kind, secret, root_ca)
        except InvalidSecret as error:
            raise refused(f"{uri}: {error}") from None
        return {**settings, **_QUICKLY}

    def _secret(self, role: str, arn: str) -> str:
        self._demand(role, [Need("secretsmanager:GetSecretValue", arn)])
        answer = self._stored("secretsmanager", "_get_secret_value", {"SecretId": arn})
        return str(answer.get("SecretString", ""))

    def _stored(self, module: str, operation: str, argument: Any) -> Mapping[str, Any]:
        """Call an operation in the server itself, which is busy with the mapping's own request."""
        with account_scope(self._region):
            status, _, body = getattr(service(module), operation)(argument)
        content: Mapping[str, Any] = json.loads(body)
        if status >= _CLIENT_ERROR:
            raise refused(str(content.get("message", content)))
        return content

    def _demand(self, role: str, needs: list[Need]) -> None:
        for need in needs:
            try:
                self._permissions.demand(role_name(role), need)
            except AccessDenied:
                raise refused(
                    f"The provided execution role does not have permissions to call {need.action} on {need.resource}"
                ) from None


def _bootstrap_of(access: Mapping[str, str]) -> str:
    if "SASL_SCRAM_512_AUTH" in access:
        return "bootstrapBrokerStringSaslScram"
    if "CLIENT_CERTIFICATE_TLS_AUTH" in access:
        return "bootstrapBrokerStringTls"
    return "bootstrapBrokerStringSaslIam"


def _iam_needs(arn: str, record: Mapping[str, Any]) -> list[Need]:
    """Return what a mapping needs that signs in to MSK with IAM."""
    place, _, cluster = arn.partition(":cluster/")
    names = {
        "cluster": cluster,
        "topic": f"{cluster}/{record['Topics'][0]}",
        "group": f"{cluster}/{kafka_requests.group_of(record)}",
    }
    return [
        Need(f"kafka-cluster:{action}", f"{place}:{kind}/{names[kind]}")
        for kind, actions in _IAM_ACTIONS.items()
        for action in actions
    ]
