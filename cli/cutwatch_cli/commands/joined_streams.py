"""The stream stacks that join the chosen stack."""

from typing import TYPE_CHECKING

from cutwatch_cli.commands.exits import note

if TYPE_CHECKING:
    from cutwatch_cli.stacks.deployment import Deployment
    from cutwatch_cli.stacks.stream_stacks import StreamStack


def joined_streams(deployment: "Deployment") -> "list[StreamStack]":
    """Return the stream stacks; none, with a note, if these credentials may not list stacks."""
    from botocore.exceptions import ClientError

    from cutwatch_cli.stacks.account import LACKS_PERMISSION, error_code
    from cutwatch_cli.stacks.stream_stacks import stream_stacks

    try:
        return stream_stacks(deployment.account, deployment.stack)
    except ClientError as error:
        if error_code(error) not in LACKS_PERMISSION:
            raise
        note(
            "streams left out: these credentials lack the permission cloudformation:DescribeStacks"
        )
        return []
