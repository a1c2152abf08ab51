"""The stack's tags, as CloudFormation put them on the data bucket: jobs and models carry them too."""

from typing import Any

from cutwatch.errors import NotFound

_RESERVED = "aws:"


def stack_tags(s3: Any, bucket: str) -> list[dict[str, str]]:
    """`Key`/`Value` pairs, without those that AWS reserves for itself."""
    try:
        tags = s3.get_bucket_tagging(Bucket=bucket)["TagSet"]
    except NotFound:
        return []
    return [tag for tag in tags if not tag["Key"].startswith(_RESERVED)]
