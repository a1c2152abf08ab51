"""Python functions that a stream names: `module:function`, in a file next to `detectors.yaml`."""

import importlib.util
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cutwatch.errors import InvalidDetectors

FUNCTION_NAME = re.compile(r"(?P<module>[A-Za-z_]\w*):(?P<function>[A-Za-z_]\w*)")
LAMBDA_ARN = re.compile(
    r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9_-]{1,64}(:[A-Za-z0-9$_-]{1,128})?"
)
# So that a file does not take the place of a package with its name.
_PACKAGE = "cutwatch_stream_functions_"


def load_function(folder: Path, name: str) -> Callable[..., Any]:
    """Import a function from the file of its module. Raises `InvalidDetectors` with the reason.

    The file is run once per call; it can import what is installed, not other files of its folder.
    """
    match = FUNCTION_NAME.fullmatch(name)
    if match is None:
        raise InvalidDetectors(f"{name!r} is not a name such as cleaning:clean, module:function")
    path = folder / f"{match['module']}.py"
    if not path.is_file():
        raise InvalidDetectors(f"{name!r}: there is no file {path.name} next to detectors.yaml")
    function = getattr(_imported(path), match["function"], None)
    if not callable(function):
        raise InvalidDetectors(f"{name!r}: {path.name} has no function {match['function']}")
    return function  # type: ignore[no-any-return]  # getattr returns Any


def _imported(path: Path) -> Any:
    name = f"{_PACKAGE}{path.stem}"
    specification = importlib.util.spec_from_file_location(name, path)
    if specification is None or specification.loader is None:
        raise InvalidDetectors(f"{path.name} cannot be imported")
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    try:
        specification.loader.exec_module(module)
    except Exception as error:  # noqa: BLE001 - whatever the file does when it is run
        raise InvalidDetectors(f"{path.name} cannot be imported: {type(error).__name__}: {error}") from None  # fmt: skip
    return module
