"""AWS's descriptions of its APIs, read once in a process.

A command opens a session of its own, whose loader reads megabytes of JSON anew for the clients of each: a process of the
command line runs one command, but a process of tests runs hundreds.
"""

from functools import cache

import botocore.session


def share_api_models() -> None:
    """Give all sessions of this process one loader for each data path, as all clients of a session have one."""
    if not hasattr(botocore.session.create_loader, "cache_info"):
        botocore.session.create_loader = cache(botocore.session.create_loader)
