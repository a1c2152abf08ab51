"""CloudFormation: conditions may look values up in mappings, and compose or split texts.

Upstream, a condition compares these functions as they stand in the template, so it never holds, or fails for `Fn::Select`.
"""

from collections.abc import Mapping
from typing import Any

from localaws.embedded_ministack import service
from localaws.ministack_patches.patching import Patches

_FUNCTIONS = frozenset({"Fn::FindInMap", "Fn::Join", "Fn::Select", "Fn::Split", "Fn::Sub"})
_MODULES = ("engine", "stacks", "handlers", "changesets")


class ConditionMappings:
    """Resolve functions that give a text in a template's conditions before MiniStack evaluates them."""

    def __init__(self, patches: Patches) -> None:
        self._engine = service("cloudformation.engine")
        self._evaluate = self._engine._evaluate_conditions
        for module in _MODULES:
            patches.set(service(f"cloudformation.{module}"), "_evaluate_conditions", self.evaluate)

    def evaluate(self, template: Mapping[str, Any], parameters: Mapping[str, Any]) -> Any:
        """Return which conditions hold, by name."""
        conditions = self._resolved(template.get("Conditions", {}), template, parameters)
        return self._evaluate({**template, "Conditions": conditions}, parameters)

    def _resolved(
        self, node: Any, template: Mapping[str, Any], parameters: Mapping[str, Any]
    ) -> Any:
        if isinstance(node, list):
            return [self._resolved(each, template, parameters) for each in node]
        if not isinstance(node, Mapping):
            return node
        if node.keys() & _FUNCTIONS:
            mappings = template.get("Mappings", {})
            return self._engine._resolve_refs(node, {}, parameters, {}, mappings, "", "")
        return {key: self._resolved(each, template, parameters) for key, each in node.items()}
