"""CloudFormation: refuse unsupported resource types and properties before anything is created.

MiniStack's provisioners ignore properties that they do not know. A provisioner reads a property by its name, so a
name that occurs nowhere in the provisioner's code is a property without effect.
"""

from collections.abc import Iterator, Mapping
from types import CodeType, FunctionType, MethodType
from typing import Any, NamedTuple, TypeAlias

from localaws.embedded_ministack import service
from localaws.ministack_patches.patching import Patches
from localaws.ministack_patches.resource_extras import is_applied_here

NESTED_STACK = "AWS::CloudFormation::Stack"
_VALIDATION = "PROPERTY_VALIDATION"
# A provisioner with these in its own code hands on every property.
_COPIES_ALL = {"items", "keys", "dict"}
_CONTAINERS = (Mapping, tuple, list, set, frozenset)

Conditions: TypeAlias = Mapping[str, bool]
# Logical id, resource type, kind of validation, path in the template, reason: as MiniStack reports them.
ValidationError: TypeAlias = tuple[str, str, str, str, str]


class _Template(NamedTuple):
    """A template's resources, and what its expressions are resolved with."""

    resources: Mapping[str, Any]
    parameters: Mapping[str, Any]
    conditions: Conditions
    mappings: Mapping[str, Any]
    stack: str
    stack_id: str


class UnsupportedProperties:
    """Add refusals to MiniStack's validation, which runs before the first resource is created.

    Upstream: a property that its provisioner does not know is accepted and has no effect.
    """

    def __init__(self, patches: Patches) -> None:
        self._cloudformation = service("cloudformation")
        self._stacks = service("cloudformation.stacks")
        self._engine = service("cloudformation.engine")
        self._helpers = service("cloudformation.helpers")
        self._handlers = service("cloudformation.provisioners")._RESOURCE_HANDLERS
        self._supported: dict[str, frozenset[str] | None] = {}
        self._validate = patches.replace(self._stacks, "_validation_errors", self.validate)

    def validate(
        self,
        resources: Mapping[str, Any],
        ordered: list[str],
        parameters: Mapping[str, Any],
        conditions: Conditions,
        mappings: Mapping[str, Any],
        stack: str,
        stack_id: str,
        *rest: Any,
    ) -> list[ValidationError]:
        """Return MiniStack's own errors and those of this template and its nested ones."""
        errors: list[ValidationError] = self._validate(
            resources, ordered, parameters, conditions, mappings, stack, stack_id, *rest
        )
        template = _Template(resources, parameters, conditions, mappings, stack, stack_id)
        refused = list(self._refused(template))
        self._report(stack, stack_id, refused)
        return [*errors, *refused]

    def _report(self, stack: str, stack_id: str, refused: list[ValidationError]) -> None:
        """Add an event for each refusal, because the stack's own event only counts them."""
        operation = self._cloudformation._stacks[stack]["StackStatus"].partition("_")[0]
        for logical_id, kind, _, _, reason in refused:
            self._stacks._add_event(
                stack_id, stack, logical_id, kind, f"{operation}_FAILED", reason
            )

    def _refused(self, template: _Template) -> Iterator[ValidationError]:
        for logical_id, resource in template.resources.items():
            if template.conditions.get(resource.get("Condition", ""), True):
                yield from self._refused_of(template, logical_id, resource)

    def _refused_of(
        self, template: _Template, logical_id: str, resource: Mapping[str, Any]
    ) -> Iterator[ValidationError]:
        kind, properties = resource["Type"], resource.get("Properties") or {}
        path = f"/Resources/{logical_id}"
        if not self._is_known(kind):
            reason = f"The local AWS does not implement resource type {kind}"
            yield logical_id, kind, _VALIDATION, path, reason
        for name in sorted(properties):
            if not self._supports(kind, name) and self._is_given(template, properties[name]):
                reason = f"The local AWS does not implement property {name} of {kind}"
                yield logical_id, kind, _VALIDATION, f"{path}/Properties/{name}", reason
        if kind == NESTED_STACK:
            yield from self._refused_inside(template, logical_id, properties)

    def _refused_inside(
        self, template: _Template, logical_id: str, properties: Mapping[str, Any]
    ) -> Iterator[ValidationError]:
        try:
            nested = self._nested(template, properties)
        except ValueError as error:  # a template that cannot be read, a parameter out of its range
            yield logical_id, NESTED_STACK, _VALIDATION, f"/Resources/{logical_id}", str(error)
        else:
            for nested_id, kind, validation, path, reason in self._refused(nested):
                yield f"{logical_id}.{nested_id}", kind, validation, path, reason

    def _is_known(self, kind: str) -> bool:
        return kind in self._handlers or kind.startswith("Custom::")

    def _supports(self, kind: str, name: str) -> bool:
        if kind not in self._supported:
            handler = self._handlers.get(kind, {}).get("create")
            declared = getattr(handler, "properties", None)  # by one of our own
            self._supported[kind] = declared or properties_read_by(handler)
        supported = self._supported[kind]
        return supported is None or name in supported or is_applied_here(kind, name)

    def _is_given(self, template: _Template, value: Any) -> bool:
        """Return whether a property has a value; `!If` may leave it out."""
        return self._static(template, value) is not self._engine._NO_VALUE

    def _static(self, template: _Template, value: Any) -> Any:
        """Resolve a value; None where it depends on a resource."""
        return self._stacks._static_property(value, *template)

    def _nested(self, template: _Template, properties: Mapping[str, Any]) -> _Template:
        url = self._static(template, properties.get("TemplateURL"))
        body, problem = self._helpers._resolve_template({"TemplateURL": [url]})
        if problem is not None:
            raise ValueError(f"the nested template {url} cannot be read")
        nested = self._engine._parse_template(body)
        given = {
            name: self._static(template, value)
            for name, value in (properties.get("Parameters") or {}).items()
        }
        parameters = self._engine._resolve_parameters(
            {**nested, "Parameters": _with_placeholders(nested.get("Parameters", {}), given)},
            [{"Key": name, "Value": str(v)} for name, v in given.items() if v is not None],
        )
        conditions = self._engine._evaluate_conditions(nested, parameters)
        mappings = nested.get("Mappings", {})
        return template._replace(
            resources=nested["Resources"],
            parameters=parameters,
            conditions=conditions,
            mappings=mappings,
        )


def _with_placeholders(declared: Mapping[str, Any], given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give parameters a default whose values depend on resources that do not exist yet."""
    placeholder = {"Type": "String", "Default": "unknown"}
    return {
        name: placeholder if name in given and given[name] is None else declaration
        for name, declaration in declared.items()
    }


def properties_read_by(provisioner: Any) -> frozenset[str] | None:
    """Return the names that a provisioner's code mentions; None if it hands on every property."""
    if not isinstance(provisioner, FunctionType) or _COPIES_ALL & set(_names(provisioner.__code__)):
        return None
    mentioned: set[str] = set()
    pending: list[Any] = [provisioner]
    seen: set[int] = set()
    while pending:
        value = pending.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, MethodType):  # one of our own, in the place of MiniStack's
            return None
        if isinstance(value, str):
            mentioned.add(value)
        else:
            pending.extend(_contents(value))
    return frozenset(mentioned)


def _contents(value: Any) -> Iterator[Any]:
    if isinstance(value, FunctionType):
        if value.__module__.startswith("ministack."):
            yield from _constants(value.__code__)
            yield from (
                value.__globals__[name]
                for name in _names(value.__code__)
                if name in value.__globals__
            )
    elif isinstance(value, _CONTAINERS):
        yield from value


def _constants(code: CodeType) -> Iterator[Any]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _constants(constant)
        else:
            yield constant


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
