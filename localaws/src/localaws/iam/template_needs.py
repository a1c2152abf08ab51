"""Needs of a call with a template, in addition to its stack: the template's object in S3, and the transforms that it names.

MiniStack's own needs know neither.
"""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlparse

from localaws.embedded_ministack import account_scope, service

# A hosted transform of AWS's, in JSON or YAML.
_TRANSFORM = re.compile(r"""Transform["']?\s*:\s*["']?AWS::([\w-]+)""")
_TAKE_TEMPLATES = frozenset({"CreateChangeSet", "CreateStack", "UpdateStack"})


def template_needs(
    operation: str, parameters: Mapping[str, str], region: str
) -> Iterator[tuple[str, str]]:
    """Yield actions with their resources."""
    if operation not in _TAKE_TEMPLATES:
        return
    text, url = parameters.get("TemplateBody", ""), parameters.get("TemplateURL")
    if url:
        place = urlparse(url).path.lstrip("/")
        yield "s3:GetObject", f"arn:aws:s3:::{place}"
        text = _content(*place.split("/", 1), region=region)
    for name in _TRANSFORM.findall(text):
        yield (
            f"cloudformation:{operation}",
            f"arn:aws:cloudformation:{region}:aws:transform/{name}",
        )


def _content(bucket: str, key: str = "", *, region: str) -> str:
    """Read an object; a missing one is empty, which CloudFormation reports in its own words."""
    with account_scope(region):
        content = service("s3")._get_object_data(bucket, key)
    return content.decode() if content else ""
