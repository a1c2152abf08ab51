"""EventBridge: functions as targets hold the clock while they run, and can be waited for."""

import json
import threading
from typing import Any

from localaws.clock import Clock
from localaws.embedded_ministack import service
from localaws.ministack_patches.patching import Patches


class FunctionTargets:
    def __init__(self, patches: Patches, clock: Clock) -> None:
        self._clock = clock
        self._running: set[threading.Thread] = set()
        self._functions = service("lambda_svc")
        patches.replace(service("eventbridge"), "_dispatch_to_lambda", self.dispatch)

    def dispatch(self, arn: str, payload: str) -> None:
        """Start a function that a rule or a schedule has as its target."""
        function, configuration, _ = self._functions._get_func_record_for_ref(arn)
        if not function or not configuration:
            return
        record = self._functions._execution_record_for_config(function, configuration)
        thread = threading.Thread(
            target=self._run, args=(record, json.loads(payload)), name="target", daemon=True
        )
        self._running.add(thread)
        self._clock.hold()
        thread.start()

    def wait(self) -> None:
        """Return when every function that has been started so far has ended."""
        for thread in list(self._running):
            thread.join()

    def _run(self, record: Any, event: Any) -> None:
        try:
            with self._clock.already_held():
                self._functions._execute_function_with_config_scope(record, event)
        finally:
            self._running.discard(threading.current_thread())
            self._clock.release()
