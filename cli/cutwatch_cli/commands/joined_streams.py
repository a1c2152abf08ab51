"""The stacks of streams and of watched tables that join the chosen stack."""

from typing import TYPE_CHECKING, TypeVar

from cutwatch_cli.commands.exits import note

if TYPE_CHECKING:
    from collections.abc import Callable

    from cutwatch_cli.stacks.deployment import Deployment
    from cutwatch_cli.stacks.stream_stacks import StreamStack
    from cutwatch_cli.stacks.table_stacks import TableStack

_Stack = TypeVar("_Stack", bound="StreamStack")


def joined_streams(deployment: "Deployment") -> "list[StreamStack]":
    """Return the stream stacks; none, with a note, if these credentials may not list stacks."""
    from cutwatch_cli.stacks.stream_stacks import stream_stacks

    return _listed("streams", lambda: stream_stacks(deployment.account, deployment.stack))


def joined_tables(deployment: "Deployment") -> "list[TableStack]":
    """Return the stacks of watched tables; none, with a note, if these credentials may not list stacks."""
    from cutwatch_cli.stacks.table_stacks import table_stacks

    return _listed("tables", lambda: table_stacks(deployment.account, deployment.stack))


def joined_sources(deployment: "Deployment") -> "list[StreamStack]":
    """Return the stacks of streams and of watched tables."""
    return [*joined_streams(deployment), *joined_tables(deployment)]


def _listed(what: str, read: "Callable[[], list[_Stack]]") -> "list[_Stack]":
    from botocore.exceptions import ClientError

    from cutwatch_cli.stacks.account import LACKS_PERMISSION, error_code

    try:
        return read()
    except ClientError as error:
        if error_code(error) not in LACKS_PERMISSION:
            raise
        note(
            f"{what} left out: these credentials lack the permission cloudformation:DescribeStacks"
        )
        return []
