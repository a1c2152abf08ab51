"""Environment variables of a stack's functions, for `sam local invoke --env-vars`."""

from collections.abc import Iterator, Mapping

from cutwatch_cli.stacks.deployment import Deployment

_ENDPOINT = "AWS_ENDPOINT_URL"


def function_environments(
    deployment: Deployment, endpoint_url: str | None
) -> Mapping[str, Mapping[str, str]]:
    """Return the variables of each function by its logical id, with the endpoint that its calls go to."""
    functions = deployment.account.client("lambda")
    found = {}
    for logical_id, name in _functions(deployment):
        configuration = functions.get_function_configuration(FunctionName=name)
        variables: dict[str, str] = configuration["Environment"]["Variables"]
        found[logical_id] = variables | {_ENDPOINT: endpoint_url or ""}
    return found


def _functions(deployment: Deployment) -> Iterator[tuple[str, str]]:
    """Yield logical id and name of each function, in alphabetical order."""
    pages = (
        deployment.account.client("cloudformation")
        .get_paginator("list_stack_resources")
        .paginate(StackName=deployment.stack)
    )
    yield from sorted(
        (resource["LogicalResourceId"], resource["PhysicalResourceId"])
        for page in pages
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] == "AWS::Lambda::Function"
    )
