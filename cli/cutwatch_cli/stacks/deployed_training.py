"""Training, and rolling back, by the function of a log stream's stack."""

import json
from collections.abc import Mapping
from typing import Any

from botocore.config import Config

from cutwatch_cli.stacks.deployed_endpoint import joined_stream
from cutwatch_cli.stacks.deployment import Deployment
from cutwatch_cli.stacks.refusal import Refused

# The longest that a function runs, in seconds; an invocation that is tried again would train again.
_CONFIG = Config(retries={"total_max_attempts": 1}, read_timeout=900)


def invoke_training(
    deployment: Deployment, stream: str, request: Mapping[str, Any]
) -> dict[str, Any]:
    """Invoke the training function of a stream's stack, and return its answer. Raises `Refused` with the reason of a failure."""
    joined = joined_stream(deployment, stream)
    function = joined.outputs.get("TrainFunction", "")
    if not function:
        raise Refused(
            f"stack {joined.name} has no training function; deploy it with HistoryLocation, or train a file"
        )
    client = deployment.account.session.client("lambda", config=_CONFIG)
    answer = client.invoke(FunctionName=function, Payload=json.dumps(request).encode())
    content = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise Refused(f"{function}: {content.get('errorType')}: {content.get('errorMessage')}")
    outcome: dict[str, Any] = content
    return outcome
