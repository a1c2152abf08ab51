"""What the template's roles allow, and what a call to AWS needs."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from tests.support.stack import ACCOUNT, REGION, Stack

Statement = Mapping[str, Any]
Need = tuple[str, str]

_SAGEMAKER_RESOURCES = {
    "ModelName": "model",
    "TrainingJobName": "training-job",
    "TransformJobName": "transform-job",
}


def statements(stack: Stack, role: str) -> list[Statement]:
    """All statements of a role: its own and those of the stack's managed policies that it carries."""
    properties = stack.properties(role)
    managed = {
        stack.arn(logical_id): stack.properties(logical_id)
        for logical_id in stack.resources("AWS::IAM::ManagedPolicy")
    }
    policies = [*properties["Policies"]]
    policies += [managed[arn] for arn in properties.get("ManagedPolicyArns", [])]
    return [s for policy in policies for s in policy["PolicyDocument"]["Statement"]]


def allows(granted: list[Statement], need: Need) -> bool:
    """Whether any statement allows an action on a resource; conditions are taken as met."""
    action, resource = need
    return any(
        action in listed(statement["Action"])
        and any(fnmatchcase(resource, pattern) for pattern in listed(statement["Resource"]))
        for statement in granted
        if statement["Effect"] == "Allow"
    )


def listed(value: Any) -> list[str]:
    """IAM lets a list of one stand without its brackets."""
    return value if isinstance(value, list) else [value]


def needs(service: str, operation: str, parameters: Mapping[str, Any]) -> Iterator[Need]:
    """The actions that a call needs, each with the resource it is about."""
    yield f"{service}:{operation}", _resource(service, operation, parameters)
    if service == "sagemaker" and "Tags" in parameters:
        yield "sagemaker:AddTags", _resource(service, operation, parameters)
    for key in ("RoleArn", "ExecutionRoleArn"):
        if key in parameters:
            yield "iam:PassRole", parameters[key]


def needs_of_missing_object(bucket: str) -> Need:
    """Without it, S3 answers that a missing object is forbidden."""
    return "s3:ListBucket", f"arn:aws:s3:::{bucket}"


def _resource(service: str, operation: str, parameters: Mapping[str, Any]) -> str:
    match service:
        case "dynamodb":
            return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{parameters['TableName']}"
        case "s3":
            key = f"/{parameters['Key']}" if "Key" in parameters else ""
            return f"arn:aws:s3:::{parameters['Bucket']}{key}"
        case "sagemaker":
            name = next(n for n in reversed(_SAGEMAKER_RESOURCES) if operation.endswith(n[:-4]))
            kind = _SAGEMAKER_RESOURCES[name]
            return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{kind}/{parameters[name]}"
        case "events":
            return f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"
        case "sns":
            return str(parameters["TopicArn"])
    return "*"
