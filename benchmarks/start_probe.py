"""Runs inside the runtime in place of a handler: imports the one that PROBED names, calls it, answers what that took.

Processor time counts from the process's start, so it includes the interpreter's and the runtime's own.
"""

import importlib
import os
import resource
import time
from typing import Any

_before = time.process_time()
_probed = importlib.import_module(os.environ["PROBED"])
_started = time.process_time()


def handler(event: Any, context: Any) -> dict[str, float]:
    begun = time.process_time()
    _probed.handler(event, context)
    called = time.process_time()
    _probed.handler(event, context)
    return {
        "runtime": _before,
        "start": _started,
        "first call": called - begun,
        "second call": time.process_time() - called,
        "peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
