"""Small Lambda functions for tests."""

import io
import time
import zipfile
from textwrap import dedent
from typing import Any

from localaws import LocalAws


def zipped(source: str) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        package.writestr("app.py", dedent(source))
    return archive.getvalue()


def create_function(aws: LocalAws, role: str, name: str, source: str, **configuration: Any) -> str:
    """Create a function; its timeout is long enough for a busy machine."""
    client = aws.client("lambda")
    created = client.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=role,
        Handler="app.handler",
        Code={"ZipFile": zipped(source)},
        **{"Timeout": 300, **configuration},
    )
    while client.get_function_configuration(FunctionName=name)["State"] == "Pending":
        time.sleep(0.01)
    return str(created["FunctionArn"])
