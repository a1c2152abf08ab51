"""CloudFormation: cut generated names as AWS does, the stack's part and the logical id alike.

AWS does not document the rule; it is taken from names that it made. A name has a random tail of 12 characters. If the whole is
longer than the service allows, the stack's name and the logical id get half of the room each.
"""

from localaws.embedded_ministack import service
from localaws.ministack_patches.patching import Patches

_TAIL = 12
_UNCUT = 1_024


def patch(patches: Patches) -> None:
    """Replace the function that names resources; a method would hide which properties its callers read."""
    provisioners = service("cloudformation.provisioners")
    upstream = provisioners._physical_name

    def physical_name(
        stack_name: str,
        logical_id: str,
        *,
        lowercase: bool = False,
        max_len: int = 128,
        seeded: bool = True,
    ) -> str:
        tail = upstream(stack_name, logical_id, max_len=_UNCUT, seeded=seeded)[-_TAIL:]
        name = f"{cut(stack_name, logical_id, max_len - _TAIL - 1)}-{tail}"
        return name.lower() if lowercase else name

    patches.replace(provisioners, "_physical_name", physical_name)


def cut(stack_name: str, logical_id: str, room: int) -> str:
    """Return `stack-logicalid` in at most `room` characters."""
    if len(stack_name) + 1 + len(logical_id) > room:
        stack_name = stack_name[: room // 2]
        logical_id = logical_id[: room - 1 - len(stack_name)]
    return f"{stack_name}-{logical_id}"
