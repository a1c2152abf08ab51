"""Evidence of how an endpoint works, and its problems where it scores a log."""

from collections.abc import Iterator
from dataclasses import dataclass

from botocore.exceptions import ClientError

from cutwatch_cli.stacks.account import Account, error_code
from cutwatch_cli.stacks.stream_stacks import StreamStack

# SageMaker says of a missing endpoint that the request is not valid.
_NO_ENDPOINT = "ValidationException"


@dataclass(frozen=True)
class EndpointEvidence:
    """The endpoint's status, empty if there is none, and the models in service and being deployed, empty without one."""

    status: str = ""
    reason: str = ""
    serves: str = ""
    pending: str = ""


def read_endpoint(account: Account, name: str) -> EndpointEvidence:
    """Read the evidence of an endpoint."""
    try:
        found = account.client("sagemaker").describe_endpoint(EndpointName=name)
    except ClientError as error:
        if error_code(error) != _NO_ENDPOINT:
            raise
        return EndpointEvidence()
    variants = found.get("ProductionVariants", [])
    return EndpointEvidence(
        found["EndpointStatus"],
        found.get("FailureReason", ""),
        variants[0]["VariantName"] if variants else "",
        found.get("PendingDeploymentSummary", {}).get("EndpointConfigName", ""),
    )


def log_endpoint_problems(account: Account, stack: StreamStack) -> Iterator[str]:
    """Yield what is wrong with the endpoint of a log stream; nothing for a stream without one."""
    name = stack.outputs.get("EndpointName", "")
    if not name:
        return
    endpoint = read_endpoint(account, name)
    if not endpoint.status:
        yield (
            f"endpoint {name} does not exist, so records wait in the topic; train the first model by "
            f"cutwatch train FILE --stream {stack.stream} --upload"
        )
    elif not endpoint.serves:
        reason = endpoint.reason or "no reason given"
        yield f"endpoint {name} is {endpoint.status}, so records wait in the topic: {reason}"
