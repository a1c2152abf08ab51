"""Functions that are targets of rules, or invoked as an event: they hold the clock while they run, and can be waited for."""

import json
import threading
from collections.abc import Callable
from typing import Any

from localaws.clock import Clock
from localaws.embedded_ministack import service
from localaws.ministack_patches.patching import Patches

# Lambda's waits before it tries a failed event again ("Error handling for asynchronous invocation" in its guide).
_RETRY_AFTER_SECONDS = (60.0, 120.0)


class FunctionTargets:
    def __init__(self, patches: Patches, clock: Clock) -> None:
        self._clock = clock
        self._running: set[threading.Thread] = set()
        self._functions = service("lambda_svc")
        patches.replace(service("eventbridge"), "_dispatch_to_lambda", self.dispatch)
        patches.replace(self._functions, "invoke_async_with_retry", self.invoke)

    def dispatch(self, arn: str, payload: str) -> None:
        """Start a function that a rule or a schedule has as its target."""
        function, configuration, _ = self._functions._get_func_record_for_ref(arn)
        if not function or not configuration:
            return
        record = self._functions._execution_record_for_config(function, configuration)
        self._start(lambda: self._execute(record, json.loads(payload)))

    def invoke(self, record: Any, event: Any) -> None:
        """Start a function with an event, which is tried again as often as the function's configuration says."""
        self._start(lambda: self._attempt(record, event))

    def wait(self) -> None:
        """Return when every function has ended, with those that it has started."""
        while running := list(self._running):
            for thread in running:
                thread.join()

    def _start(self, work: Callable[[], Any]) -> None:
        thread = threading.Thread(target=self._run, args=(work,), name="target", daemon=True)
        self._running.add(thread)
        self._clock.hold()
        thread.start()

    def _execute(self, record: Any, event: Any) -> Any:
        return self._functions._execute_function_with_config_scope(record, event)

    def _attempt(self, record: Any, event: Any) -> None:
        invocation = (record.get("event_invoke_configs") or {}).get("$LATEST") or {}
        retries = int(invocation.get("MaximumRetryAttempts", len(_RETRY_AFTER_SECONDS)))
        for wait in (*_RETRY_AFTER_SECONDS[:retries], None):
            result = self._execute(record, event)
            if not result.get("error") or wait is None:
                break
            self._clock.sleep(wait)
        target = invocation.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
        if result.get("error") and target:
            name = record["config"]["FunctionName"]
            self._functions._route_async_failure(target, name, event, result)

    def _run(self, work: Callable[[], Any]) -> None:
        try:
            with self._clock.already_held():
                work()
        finally:
            self._running.discard(threading.current_thread())
            self._clock.release()
