"""Lambda: handlers run in localaws's own runtime, which reports failures by their class as AWS does.

A variable `AWS_ENDPOINT_URL` that a template declares empty does not hide the endpoint, as it does in MiniStack's.
"""

from localaws.embedded_ministack import service
from localaws.lambda_runtime.executor import FunctionExecutor
from localaws.ministack_patches.patching import Patches

_ACCOUNT_CONCURRENCY = 1000


def patch(patches: Patches, executor: FunctionExecutor) -> None:
    functions = service("lambda_svc")
    patches.replace(functions, "_execute_function_warm", executor.execute)
    patches.set(functions, "_ACCOUNT_CONCURRENCY_CAP", _ACCOUNT_CONCURRENCY)
