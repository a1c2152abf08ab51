from types import SimpleNamespace
from typing import Any

from cutwatch.aws.stack_tags import stack_tags
from cutwatch.errors import NotFound


def test_the_buckets_tags_are_the_stacks_but_for_those_that_aws_reserves() -> None:
    tags = [{"Key": "team", "Value": "shop"}, {"Key": "aws:cloudformation:stack-id", "Value": "x"}]
    s3: Any = SimpleNamespace(get_bucket_tagging=lambda **_: {"TagSet": tags})

    assert stack_tags(s3, "bucket") == [{"Key": "team", "Value": "shop"}]


def test_a_bucket_without_tags_gives_none() -> None:
    def refuse(**_: Any) -> None:
        raise NotFound("GetBucketTagging", "NoSuchTagSet", "")

    s3: Any = SimpleNamespace(get_bucket_tagging=refuse)
    assert stack_tags(s3, "bucket") == []
