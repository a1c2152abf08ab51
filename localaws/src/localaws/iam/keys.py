"""The permissions on customer-managed KMS keys that a call needs, because a service uses the key on the caller's behalf.

Key policies are not read: every key's policy is taken to leave the decision to IAM.
"""

import re
from collections.abc import Callable, Iterator, Mapping

from localaws.api_request import ApiRequest
from localaws.embedded_ministack import ACCOUNT_ID, account_scope, service

KeyNeed = tuple[str, str]

DECRYPT, ENCRYPT = "kms:Decrypt", "kms:Encrypt"
GENERATE_DATA_KEY = "kms:GenerateDataKey"
_BUCKET_KEY = re.compile(r"<KMSMasterKeyID>([^<]+)</KMSMasterKeyID>")
_S3_KEY_HEADER = "x-amz-server-side-encryption-aws-kms-key-id"
_S3_ACTIONS = {
    "GetObject": (DECRYPT,),
    "PutObject": (GENERATE_DATA_KEY,),
    "CreateMultipartUpload": (GENERATE_DATA_KEY,),
    # S3 decrypts the parts of an upload that it has stored.
    "UploadPart": (DECRYPT, GENERATE_DATA_KEY),
    "CompleteMultipartUpload": (DECRYPT,),
}
# The operations on items; the key of a table is nothing to those on the table itself.
_ITEM_OPERATIONS = re.compile(r"(Get|Put|Update|Delete|Batch\w+|Transact\w+)Items?|Query|Scan")


def key_needs(request: ApiRequest) -> Iterator[KeyNeed]:
    """Yield action and key ARN of each permission on a key."""
    needs = _NEEDS.get(request.service)
    if needs is not None:
        with account_scope(request.region):
            yield from list(needs(request))


def bucket_key(bucket: str, region: str) -> str | None:
    """Return the ARN of the key that a bucket encrypts new objects with by default."""
    with account_scope(region):
        return _bucket_key(bucket, region)


def key_arn(key: str, region: str) -> str | None:
    """Return the ARN of a customer-managed key by its ARN or id; the services' own keys need no permission."""
    if not key or key.startswith("alias/aws/"):
        return None
    return key if key.startswith("arn:") else f"arn:aws:kms:{region}:{ACCOUNT_ID}:key/{key}"


def _bucket_key(bucket: str, region: str) -> str | None:
    found = _BUCKET_KEY.search(service("s3")._bucket_encryption.get(bucket) or "")
    return key_arn(found[1], region) if found else None


def _s3(request: ApiRequest) -> Iterator[KeyNeed]:
    actions = _S3_ACTIONS.get(request.operation, ())
    if actions:
        named = key_arn(request.headers.get(_S3_KEY_HEADER, ""), request.region)
        key = named or _bucket_key(request.parameters["Bucket"], request.region)
        yield from ((action, key) for action in actions if key)


def _dynamodb(request: ApiRequest) -> Iterator[KeyNeed]:
    if not _ITEM_OPERATIONS.fullmatch(request.operation):
        return
    parameters = request.parameters
    parts = [part for item in parameters.get("TransactItems", ()) for part in item.values()]
    names = {part["TableName"] for part in [parameters, *parts] if "TableName" in part}
    for name in sorted({*names, *parameters.get("RequestItems", {})}):
        table = service("dynamodb")._tables.get(name.rpartition("/")[2]) or {}
        described = table.get("SSEDescription") or {}
        key = key_arn(described.get("KMSMasterKeyArn", ""), request.region)
        if key:
            yield DECRYPT, key


def _sns(request: ApiRequest) -> Iterator[KeyNeed]:
    if not request.operation.startswith("Publish"):
        return
    topic = service("sns")._topics.get(request.parameters.get("TopicArn", "")) or {}
    key = key_arn(topic.get("attributes", {}).get("KmsMasterKeyId", ""), request.region)
    yield from ((action, key) for action in (DECRYPT, GENERATE_DATA_KEY) if key)


_NEEDS: Mapping[str, Callable[[ApiRequest], Iterator[KeyNeed]]] = {
    "s3": _s3,
    "dynamodb": _dynamodb,
    "sns": _sns,
}
