"""What a call needs to be allowed: IAM's actions, each with its resource and what conditions may ask about it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.aws.api_request import ApiRequest
from local.aws.embedded_ministack import ACCOUNT_ID, core

_SAGEMAKER_RESOURCES = {
    "TrainingJob": "training-job",
    "TransformJob": "transform-job",
    "Model": "model",
}


@dataclass(frozen=True)
class Need:
    """One action on one resource. The keys of the context are in lower case."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


def needs_of(request: ApiRequest) -> list[Need]:
    """All that must be allowed; a call that nobody knows needs an action of its own name on any resource."""
    if request.service == "sagemaker":
        return list(_sagemaker(request))
    if request.service == "cloudwatch":
        return [_cloudwatch(request)]
    if request.service == "events" and request.operation == "PutEvents":
        return list(_put_events(request))
    return _as_ministack_sees_it(request)


def need_to_list(request: ApiRequest) -> Need:
    """S3 tells only those who may list the bucket that an object is missing."""
    return Need("s3:ListBucket", f"arn:aws:s3:::{request.parameters['Bucket']}")


def _cloudwatch(request: ApiRequest) -> Need:
    context = {}
    if request.operation == "PutMetricData":
        context["cloudwatch:namespace"] = str(request.parameters.get("Namespace", ""))
    return Need(f"cloudwatch:{request.operation}", "*", context)


def _put_events(request: ApiRequest) -> Iterator[Need]:
    """Of each bus and each source: MiniStack's own needs know neither."""
    entries = request.parameters.get("Entries", [])
    for bus, source in sorted({(e.get("EventBusName", "default"), e["Source"]) for e in entries}):
        arn = f"arn:aws:events:{request.region}:{ACCOUNT_ID}:event-bus/{bus.rpartition('/')[2]}"
        yield Need("events:PutEvents", arn, {"events:source": source})


def _sagemaker(request: ApiRequest) -> Iterator[Need]:
    arn = _sagemaker_arn(request)
    yield Need(f"sagemaker:{request.operation}", arn)
    parameters = request.parameters
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
    """MiniStack knows how the calls of its services translate, such as ListObjectsV2 into s3:ListBucket."""
    actions = core("iam_actions")
    body, query, headers = request.body, dict(_query(request)), dict(request.headers)
    place = (request.region, ACCOUNT_ID)
    call = (request.method, request.path, headers, body, query)
    action = actions.extract_iam_action(request.service, *call)
    if action is None:
        return [Need(f"{request.service}:{request.operation}", "*")]
    if request.service == "dynamodb":
        return _dynamodb(actions, action, body, place)
    needs = [Need(action, actions.extract_resource_arn(request.service, *call, *place))]
    if request.service == "s3":
        needs += [Need(*more) for more in actions.s3_additional_checks(*call)]
    return needs


def _dynamodb(actions: Any, action: str, body: bytes, place: tuple[str, str]) -> list[Need]:
    """A transaction needs the actions of its parts, a batch its action on each of its tables."""
    if parts := actions.dynamodb_transaction_checks(action, body, *place):
        return [Need(*part) for part in parts]
    return [Need(action, table) for table in actions.dynamodb_resource_arns(body, *place) or ["*"]]


def _query(request: ApiRequest) -> Mapping[str, str]:
    """Form fields count as MiniStack's router has them: beneath the query string."""
    return request.form if request.protocol == "query" else request.query
