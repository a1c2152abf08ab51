"""Properties of resources that MiniStack's services implement, but its provisioners do not hand on."""

from collections.abc import Callable, Mapping
from typing import Any

from botocore.serialize import create_serializer

from localaws.api_request import operation_model
from localaws.embedded_ministack import service

_LIFECYCLE_PROPERTIES = {
    "Id",
    "Status",
    "Prefix",
    "ExpirationInDays",
    "AbortIncompleteMultipartUpload",
    "NoncurrentVersionExpirationInDays",
}


def _encrypt_bucket(bucket: str, encryption: Mapping[str, Any]) -> None:
    rules = [
        {
            "ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"],
            "BucketKeyEnabled": _truth(rule.get("BucketKeyEnabled", False)),
        }
        for rule in encryption["ServerSideEncryptionConfiguration"]
    ]
    body = _s3_body(
        "PutBucketEncryption", bucket, ServerSideEncryptionConfiguration={"Rules": rules}
    )
    _succeed(service("s3")._put_bucket_encryption(bucket, body))


def _expire_objects(bucket: str, lifecycle: Mapping[str, Any]) -> None:
    rules = [_lifecycle_rule(rule) for rule in lifecycle["Rules"]]
    body = _s3_body(
        "PutBucketLifecycleConfiguration", bucket, LifecycleConfiguration={"Rules": rules}
    )
    _succeed(service("s3")._put_bucket_lifecycle(bucket, body))


def _lifecycle_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    for name in sorted(rule.keys() - _LIFECYCLE_PROPERTIES):
        raise ValueError(f"The local AWS does not implement {name} of a lifecycle rule")
    translated: dict[str, Any] = {
        "Status": rule["Status"],
        "Filter": {"Prefix": rule.get("Prefix", "")},
    }
    if "Id" in rule:
        translated["ID"] = rule["Id"]
    if "ExpirationInDays" in rule:
        translated["Expiration"] = {"Days": int(rule["ExpirationInDays"])}
    if "NoncurrentVersionExpirationInDays" in rule:
        days = int(rule["NoncurrentVersionExpirationInDays"])
        translated["NoncurrentVersionExpiration"] = {"NoncurrentDays": days}
    if "AbortIncompleteMultipartUpload" in rule:
        days = int(rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"])
        translated["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": days}
    return translated


def _own_objects(bucket: str, ownership: Mapping[str, Any]) -> None:
    body = _s3_body("PutBucketOwnershipControls", bucket, OwnershipControls=ownership)
    _succeed(service("s3")._put_bucket_ownership_controls(bucket, body))


def _tag_bucket(bucket: str, tags: list[Mapping[str, str]]) -> None:
    service("s3")._bucket_tags[bucket] = {tag["Key"]: tag["Value"] for tag in tags}


def _recover_table(table: str, specification: Mapping[str, Any]) -> None:
    enabled = _truth(specification["PointInTimeRecoveryEnabled"])
    request = {
        "TableName": table,
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": enabled},
    }
    _succeed(service("dynamodb")._update_continuous_backups(request))


def _expire_items(table: str, specification: Mapping[str, Any]) -> None:
    settings = {**specification, "Enabled": _truth(specification["Enabled"])}
    request = {"TableName": table, "TimeToLiveSpecification": settings}
    _succeed(service("dynamodb")._update_ttl(request))


def _encrypt_table(table: str, specification: Mapping[str, Any]) -> None:
    dynamodb = service("dynamodb")
    asked = {**specification, "Enabled": _truth(specification["SSEEnabled"])}
    dynamodb._tables[table]["SSEDescription"] = dynamodb._sse_description_from_spec(asked)


def _bound_role(role: str, boundary: str) -> None:
    service("iam")._roles[role]["PermissionsBoundary"] = boundary


def _encrypt_topic(topic: str, key: str) -> None:
    service("sns")._topics[topic]["attributes"]["KmsMasterKeyId"] = key


def _s3_body(operation: str, bucket: str, **parameters: Any) -> bytes:
    model = operation_model("s3", operation)
    serializer = create_serializer(model.service_model.metadata["protocol"])
    request = serializer.serialize_to_request({"Bucket": bucket, **parameters}, model)
    body: bytes = request["body"]
    return body


def _succeed(response: Any) -> None:
    status, _, body = response
    if status >= 400:
        raise ValueError(body.decode() if isinstance(body, bytes) else str(body))


def _truth(value: Any) -> bool:
    """CloudFormation's parameters make booleans of strings."""
    return value is True or str(value).lower() == "true"


EXTRAS: Mapping[tuple[str, str], Callable[[str, Any], None]] = {
    ("AWS::S3::Bucket", "BucketEncryption"): _encrypt_bucket,
    ("AWS::S3::Bucket", "LifecycleConfiguration"): _expire_objects,
    ("AWS::S3::Bucket", "OwnershipControls"): _own_objects,
    ("AWS::S3::Bucket", "Tags"): _tag_bucket,
    ("AWS::DynamoDB::Table", "PointInTimeRecoverySpecification"): _recover_table,
    ("AWS::DynamoDB::Table", "TimeToLiveSpecification"): _expire_items,
    ("AWS::DynamoDB::Table", "SSESpecification"): _encrypt_table,
    ("AWS::IAM::Role", "PermissionsBoundary"): _bound_role,
    ("AWS::SNS::Topic", "KmsMasterKeyId"): _encrypt_topic,
}

_WITHOUT_EFFECT_HERE = {
    ("AWS::StepFunctions::StateMachine", "TracingConfiguration"): "there is no X-Ray",
}


def is_applied_here(kind: str, name: str) -> bool:
    """Return whether a property that MiniStack does not know is applied, or may be ignored, here."""
    return (kind, name) in EXTRAS or (kind, name) in _WITHOUT_EFFECT_HERE
