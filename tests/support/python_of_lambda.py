"""Lambda's version of Python on this machine, which `sam build` needs."""

import shutil
import subprocess


def has_python_of_lambda() -> bool:
    """A version manager's shim may be there without the version."""
    found = shutil.which("python3.13")
    return found is not None and subprocess.run([found, "-c", ""], check=False).returncode == 0
