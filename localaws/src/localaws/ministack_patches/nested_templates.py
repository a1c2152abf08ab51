"""CloudFormation: where a nested template lies.

The SAM CLI builds the URL of a nested template from the endpoint of its S3 client, and `sam delete` refuses a URL that is
not AWS's. Here the endpoint is this machine's, so the URL is kept as AWS's client would have built it.
"""

import re
from typing import Any

from localaws.embedded_ministack import service
from localaws.ministack_patches.patching import Patches

_HERE = re.compile(r"""(TemplateURL["']?\s*:\s*["']?)http://[^/\s"']+/""")
_THERE = r"\1https://s3.amazonaws.com/"


class NestedTemplates:
    """Replace MiniStack's reader of templates, which keeps a template's text as it came."""

    def __init__(self, patches: Patches) -> None:
        self._read = service("cloudformation.helpers")._resolve_template
        for module in ("handlers", "changesets"):
            patches.set(service(f"cloudformation.{module}"), "_resolve_template", self.read)

    def read(self, parameters: Any) -> tuple[str | None, Any]:
        """Return a template's text with AWS's URLs of nested templates, or the error."""
        text, error = self._read(parameters)
        return (None if text is None else _HERE.sub(_THERE, text)), error
