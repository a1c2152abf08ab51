"""Step Functions: paths, choice rules and error names.

A path that leads nowhere fails the state, and nothing catches that.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from localaws.embedded_ministack import service
from localaws.ministack_patches.patching import Patches

_UNCATCHABLE = frozenset({"States.DataLimitExceeded", "States.Runtime"})
_NOT_TASK_FAILURES = _UNCATCHABLE | {"States.Timeout"}


class Paths:
    """MiniStack's resolution of paths, made strict."""

    def __init__(self, patches: Patches) -> None:
        self._states = service("stepfunctions")
        self._lenient = patches.replace(self._states, "_resolve_path", self.resolve)
        self._choice_rule = patches.replace(self._states, "_evaluate_rule", self.rule_holds)
        patches.replace(self._states, "_error_matches", error_matches)

    def resolve(self, path: str, data: Any) -> Any:
        found = self._lenient(path, data)
        if found is None and not self.leads_somewhere(path, data):
            raise self._states._ExecutionError(
                "States.Runtime", f"The JSONPath '{path}' could not be found in the input"
            )
        return found

    def leads_somewhere(self, path: str, data: Any) -> bool:
        """Return whether there is something at a path, be it null."""
        if path in ("", "$") or not path.startswith("$"):
            return True
        tokens = self._states._parse_jsonpath_tokens(path)
        if tokens is None:
            return False
        for kind, key in tokens:
            if kind == "wildcard":
                return True
            if not _contains(data, kind, key):
                return False
            data = data[key]
        return True

    def rule_holds(self, rule: Mapping[str, Any], data: Any, context: Any = None) -> bool:
        if "IsPresent" in rule:
            present = self._is_present(rule["Variable"], data, context)
            return present == bool(rule["IsPresent"])
        compared = self._with_values_for_paths(rule, data, context)
        return bool(self._choice_rule(compared, data, context))

    def _is_present(self, path: str, data: Any, context: Any) -> bool:
        if path.startswith("$$."):
            return self.leads_somewhere(path[1:], context or {})
        return self.leads_somewhere(path, data)

    def _with_values_for_paths(
        self, rule: Mapping[str, Any], data: Any, context: Any
    ) -> Mapping[str, Any]:
        """Turn `TimestampLessThanPath` and its like into the plain comparison with the value at the path."""
        return dict(
            (name.removesuffix("Path"), self._states._resolve_path_or_ctx(value, data, context))
            if name.endswith("Path")
            else (name, value)
            for name, value in rule.items()
        )


def error_matches(error_equals: Sequence[str], error: str) -> bool:
    if error in error_equals:
        return True
    if "States.ALL" in error_equals:
        return error not in _UNCATCHABLE
    return "States.TaskFailed" in error_equals and error not in _NOT_TASK_FAILURES


def _contains(data: Any, kind: str, key: Any) -> bool:
    if kind == "field":
        return isinstance(data, Mapping) and key in data
    return isinstance(data, list) and key < len(data)
