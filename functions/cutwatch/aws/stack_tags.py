"""The stack's tags, as CloudFormation put them on the data bucket: jobs and models get the same tags."""

from typing import TYPE_CHECKING

from cutwatch.errors import NotFound

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_RESERVED = "aws:"


def stack_tags(s3: "S3Client", bucket: str) -> list[dict[str, str]]:
    """`Key`/`Value` pairs, without those that AWS reserves for itself."""
    try:
        tags = s3.get_bucket_tagging(Bucket=bucket)["TagSet"]
    except NotFound:
        return []
    return [
        {"Key": tag["Key"], "Value": tag["Value"]}
        for tag in tags
        if not tag["Key"].startswith(_RESERVED)
    ]
