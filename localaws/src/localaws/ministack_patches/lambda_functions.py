"""Lambda: handlers run in our own runtime, which reports failures by their class as AWS does.

MiniStack reports every exception as `Runtime.HandlerError`, kills the environment that raised it, and lets a
variable `AWS_ENDPOINT_URL` that a template declares empty hide the endpoint.
"""

from localaws.embedded_ministack import service
from localaws.lambda_runtime.executor import FunctionExecutor
from localaws.ministack_patches.patching import Mending

_ACCOUNT_CONCURRENCY = 1000


def mend(patching: Mending, executor: FunctionExecutor) -> None:
    functions = service("lambda_svc")
    patching.replace(functions, "_execute_function_warm", executor.execute)
    patching.set(functions, "_ACCOUNT_CONCURRENCY_CAP", _ACCOUNT_CONCURRENCY)
