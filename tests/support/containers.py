"""Docker on this machine, and what `sam local invoke` needs of it."""

import json
import platform
import shutil
import subprocess
from ipaddress import ip_network

from tests.support.python_of_lambda import has_python_of_lambda


def why_no_container() -> str | None:
    """What is missing for a function in a container, if anything."""
    if not has_python_of_lambda():
        return "sam build needs Python 3.13 on the PATH"
    if shutil.which("docker") is None:
        return "there is no docker command"
    images = subprocess.run(
        ["docker", "images", "--format", "{{.Repository}}:{{.Tag}}"],
        capture_output=True,
        text=True,
        check=False,
    )
    if images.returncode:
        return "no Docker engine answers"
    if f"lambda/python:3.13-{architecture()}" not in images.stdout:
        return "Docker has no image of Lambda's Python 3.13 yet; sam local invoke pulls it once"
    return None


def architecture() -> str:
    """The processor of this machine, as Lambda calls it."""
    return "x86_64" if platform.machine().lower() in ("x86_64", "amd64") else "arm64"


def docker_host() -> str:
    """Where a container finds this machine: the address of Docker's bridge, by default the first of its network."""
    inspected = subprocess.run(
        ["docker", "network", "inspect", "bridge", "-f", "{{json (index .IPAM.Config 0)}}"],
        capture_output=True,
        text=True,
        check=True,
    )
    network = json.loads(inspected.stdout)
    return str(network.get("Gateway") or next(ip_network(network["Subnet"]).hosts()))
