"""A pytest plugin: AWS's descriptions of its APIs are read once in a process.

A command opens a session of its own, whose loader reads megabytes of JSON anew for the clients of each: a process of the
command line runs one command, but a process of tests runs hundreds.
"""

from functools import cache

import pytest


@pytest.fixture(scope="session", autouse=True)
def _shared_api_models() -> None:
    """Give all sessions of this process one loader for each data path, as all clients of a session have one."""
    import botocore.session  # noqa: PLC0415 - not every process of tests needs it before its first test

    botocore.session.create_loader = cache(botocore.session.create_loader)
