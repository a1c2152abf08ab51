"""Permissions for a call: IAM's actions, each with its resource and the keys that conditions may use."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from localaws.api_request import ApiRequest
from localaws.embedded_ministack import ACCOUNT_ID, account_scope, core, service
from localaws.iam.autoscaling import scaling_needs
from localaws.iam.exports import EXPORT_OPERATIONS, export_arn
from localaws.iam.keys import key_needs
from localaws.iam.leading_keys import leading_keys
from localaws.iam.streams import STREAM_OPERATIONS, stream_arn, table_stream_arn
from localaws.iam.template_needs import template_needs

_SAGEMAKER_RESOURCES = {
    "TrainingJob": "training-job",
    "TransformJob": "transform-job",
    "Model": "model",
    "EndpointConfig": "endpoint-config",
    "Endpoint": "endpoint",
}
# IAM's name of a service where boto3's is another.
_IAM_NAMES = {"stepfunctions": "states"}
# Calls without an action of their own name.
_ACTIONS = {
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:SendMessageBatch": "sqs:SendMessage",
}
_ALARM_OPERATIONS = frozenset({"DescribeAlarms", "DescribeAlarmHistory", "PutMetricAlarm"})
# Of a log group itself; every other call of CloudWatch Logs is about streams in a group.
_LOG_GROUP_OPERATIONS = frozenset({"TagResource", "UntagResource", "ListTagsForResource"})


@dataclass(frozen=True)
class Need:
    """One action on one resource. The keys of the context are in lower case."""

    action: str
    resource: str
    context: Mapping[str, str | Sequence[str]] = field(default_factory=dict)


_LISTINGS = frozenset({"ListObjects", "ListObjectsV2", "ListObjectVersions"})


def needs_of(request: ApiRequest) -> list[Need]:
    """Return all needs of a call; an unknown call needs an action of its own name on any resource."""
    keys = [Need(action, key) for action, key in key_needs(request)]
    return [*_own_needs(request), *keys]


def _own_needs(request: ApiRequest) -> list[Need]:
    if request.service in _OF_SERVICES:
        return list(_OF_SERVICES[request.service](request))
    if request.service == "dynamodb" and request.operation in STREAM_OPERATIONS:
        return [Need(f"dynamodb:{request.operation}", table_stream_arn(request.parameters))]
    if request.service == "dynamodb" and request.operation in EXPORT_OPERATIONS:
        return [Need(f"dynamodb:{request.operation}", export_arn(request.parameters))]
    if request.service == "events" and request.operation == "PutEvents":
        return list(_put_events(request))
    if request.operation == "DescribeStacks" and not request.parameters.get("StackName"):
        return _describe_every_stack(request.region)
    return _as_ministack_sees_it(request)


def need_to_list(request: ApiRequest) -> Need:
    """Return the permission without which S3 does not say that an object is missing."""
    return Need("s3:ListBucket", f"arn:aws:s3:::{request.parameters['Bucket']}")


def _kinesis(request: ApiRequest) -> Iterator[Need]:
    yield Need(f"kinesis:{request.operation}", stream_arn(request.parameters, request.region))


def _cloudwatch(request: ApiRequest) -> Iterator[Need]:
    context = {}
    if request.operation == "PutMetricData":
        context["cloudwatch:namespace"] = str(request.parameters.get("Namespace", ""))
    yield Need(f"cloudwatch:{request.operation}", _cloudwatch_arn(request), context)


def _cloudwatch_arn(request: ApiRequest) -> str:
    """Return the dashboard or the alarms of a call; calls about metrics have no resource."""
    dashboard = request.parameters.get("DashboardName")
    if dashboard:
        return f"arn:aws:cloudwatch::{ACCOUNT_ID}:dashboard/{dashboard}"
    if request.operation in _ALARM_OPERATIONS:
        alarm = request.parameters.get("AlarmName", "*")
        return f"arn:aws:cloudwatch:{request.region}:{ACCOUNT_ID}:alarm:{alarm}"
    return "*"


def _put_events(request: ApiRequest) -> Iterator[Need]:
    """Yield a need for each bus with the sources of its entries; MiniStack leaves both out.

    Whether AWS makes `events:source` multivalued is not documented, so it is: a condition has to hold either way.
    """
    sources: dict[str, list[str]] = defaultdict(list)
    for entry in request.parameters.get("Entries", []):
        sources[entry.get("EventBusName", "default")].append(entry["Source"])
    for bus, named in sorted(sources.items()):
        arn = f"arn:aws:events:{request.region}:{ACCOUNT_ID}:event-bus/{bus.rpartition('/')[2]}"
        yield Need("events:PutEvents", arn, {"events:source": named})


def _describe_every_stack(region: str) -> list[Need]:
    """Return both permissions that CloudFormation's API reference names for a call without a stack."""
    stacks = f"arn:aws:cloudformation:{region}:{ACCOUNT_ID}:stack/*/*"
    return [Need("cloudformation:DescribeStacks", stacks), Need("cloudformation:ListStacks", "*")]


def _sagemaker(request: ApiRequest) -> Iterator[Need]:
    arn = _sagemaker_arn(request)
    yield Need(f"sagemaker:{request.operation}", arn)
    parameters = request.parameters
    if request.operation in ("CreateEndpoint", "UpdateEndpoint"):
        place = f"arn:aws:sagemaker:{request.region}:{ACCOUNT_ID}:endpoint-config"
        name = parameters.get("EndpointConfigName", "")
        yield Need(f"sagemaker:{request.operation}", f"{place}/{name}")
    if request.operation.startswith("Create") and parameters.get("Tags"):
        yield Need("sagemaker:AddTags", arn)
    for name in ("RoleArn", "ExecutionRoleArn"):
        if name in parameters:
            passed_to = {"iam:passedtoservice": "sagemaker.amazonaws.com"}
            yield Need("iam:PassRole", parameters[name], passed_to)


def _sagemaker_arn(request: ApiRequest) -> str:
    for suffix, kind in _SAGEMAKER_RESOURCES.items():
        name = request.parameters.get(f"{suffix}Name")
        if name and request.operation.endswith(suffix):
            return f"arn:aws:sagemaker:{request.region}:{ACCOUNT_ID}:{kind}/{name}"
    return str(request.parameters.get("ResourceArn", "*"))


def _as_ministack_sees_it(request: ApiRequest) -> list[Need]:
    """Translate a call as MiniStack does for its services, such as ListObjectsV2 into s3:ListBucket."""
    actions = core("iam_actions")
    iam_service = _IAM_NAMES.get(request.service, request.service)
    body, query, headers = request.body, dict(_query(request)), dict(request.headers)
    place = (request.region, ACCOUNT_ID)
    call = (request.method, request.path, headers, body, query)
    action = actions.extract_iam_action(iam_service, *call)
    if action is None:
        return [Need(f"{iam_service}:{request.operation}", "*")]
    if iam_service == "dynamodb":
        return _dynamodb(actions, action, request)
    resource = actions.extract_resource_arn(iam_service, *call, *place)
    if iam_service == "logs" and request.operation not in _LOG_GROUP_OPERATIONS:
        resource = _streams_of(_queried_group(request) or resource, request)
    own = Need(_ACTIONS.get(action, action), resource, _context(request))
    return [own, *_more(actions, request, call)]


def _context(request: ApiRequest) -> Mapping[str, str]:
    """Return the condition keys of a call that lists a bucket; MiniStack leaves them out."""
    prefix = request.parameters.get("prefix")  # as in the query
    listing = request.service == "s3" and request.operation in _LISTINGS
    return {"s3:prefix": prefix} if listing and prefix is not None else {}


def _more(actions: Any, request: ApiRequest, call: tuple[Any, ...]) -> Iterator[Need]:
    """Yield the needs that some calls have in addition to the action of their own name."""
    if request.service == "s3":
        yield from (Need(*more) for more in actions.s3_additional_checks(*call))
    if request.service == "cloudformation":
        asked = template_needs(request.operation, request.parameters, request.region)
        yield from (Need(*more) for more in asked)


def _queried_group(request: ApiRequest) -> str | None:
    """Return the log group of the query that a call names by its id."""
    with account_scope(request.region):
        query = service("cloudwatch_logs")._queries.get(request.parameters.get("queryId"))
    if query is None:
        return None
    return f"arn:aws:logs:{request.region}:{ACCOUNT_ID}:log-group:{query['logGroupName']}"


def _streams_of(group: str, request: ApiRequest) -> str:
    """Return the streams of a group as AWS's refusals name them, an empty stream where the call names none."""
    stream = request.parameters.get("logStreamName", "")
    return group if group == "*" else f"{group}:log-stream:{stream}"


def _dynamodb(actions: Any, action: str, request: ApiRequest) -> list[Need]:
    """Return the actions of a transaction's parts, or a batch's action on each of its tables."""
    place = (request.region, ACCOUNT_ID)
    parts = actions.dynamodb_transaction_checks(action, request.body, *place) or [
        (action, table) for table in actions.dynamodb_resource_arns(request.body, *place) or ["*"]
    ]
    found = leading_keys(request.parameters, request.region).items()
    keys = {table.rpartition("/")[2]: values for table, values in found}
    return [
        Need(part, arn, {"dynamodb:leadingkeys": keys[table]} if table in keys else {})
        for part, arn in parts
        for table in [arn.partition("/")[2].partition("/")[0]]
    ]


def _query(request: ApiRequest) -> Mapping[str, str]:
    """Return the query with form fields beneath it, as MiniStack's router has them."""
    return request.form if request.protocol == "query" else request.query


def _autoscaling(request: ApiRequest) -> Iterator[Need]:
    yield from (Need(*each) for each in scaling_needs(request))


_OF_SERVICES: Mapping[str, Callable[[ApiRequest], Iterator[Need]]] = {
    "application-autoscaling": _autoscaling,
    "cloudwatch": _cloudwatch,
    "kinesis": _kinesis,
    "sagemaker": _sagemaker,
    "sagemaker-runtime": _sagemaker,
}
