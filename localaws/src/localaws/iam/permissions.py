"""Check calls against the policies of the role that makes them."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from localaws.api_response import ApiError
from localaws.embedded_ministack import ACCOUNT_ID, core, service
from localaws.iam.needs import Need

# How the services spell what IAM refuses; all others say AccessDeniedException.
_DENIAL_CODES: Mapping[str, tuple[str, int]] = {
    "cloudformation": ("AccessDenied", 403),
    "cloudwatch": ("AccessDenied", 403),
    "iam": ("AccessDenied", 403),
    "s3": ("AccessDenied", 403),
    "sns": ("AuthorizationError", 403),
}


class AccessDenied(Exception):
    """IAM's refusal of an action, in its own words."""

    def __init__(self, message: str, action: str = "") -> None:
        super().__init__(message)
        self._action = action

    def as_answer_of(self, service: str) -> ApiError:
        if service == "sns" and self._action.startswith("kms:"):
            return ApiError("KMSAccessDenied", str(self), 400)
        code, status = _DENIAL_CODES.get(service, ("AccessDeniedException", 400))
        return ApiError(code, str(self), status)


@dataclass(frozen=True)
class Use:
    """An action that a role used, with the statement and the resource in it that allowed it."""

    role: str
    statement: str
    action: str
    resource: str


@dataclass(frozen=True)
class _Granted:
    """A role's policies and what bounds them, parsed."""

    policies: list[list[Any]]
    limits: list[list[list[Any]]]

    def statements(self) -> Iterable[Any]:
        return (statement for policy in self.policies for statement in policy)


class Permissions:
    """Refuses what a role's policies do not allow, and remembers what was used of them.

    The evaluator is MiniStack's: it knows every condition operator, permissions boundaries and explicit denials.
    """

    def __init__(self, region: str) -> None:
        self._region = region
        self._lock = threading.Lock()
        self._granted: dict[str, _Granted] = {}
        self._uses: set[Use] = set()

    @property
    def uses(self) -> frozenset[Use]:
        with self._lock:
            return frozenset(self._uses)

    def granted(self, role: str) -> frozenset[Use]:
        """Return every action on every resource that the role's policies allow."""
        return frozenset(
            Use(role, statement.sid, action, resource)
            for statement in self._of(role).statements()
            for action in statement.actions
            for resource in statement.resources
            if statement.effect == "Allow"
        )

    def forget(self) -> None:
        """Read the policies again; they may have changed."""
        with self._lock:
            self._granted.clear()

    def demand(self, role: str, need: Need) -> None:
        """Raise AccessDenied unless the role's policies allow it."""
        evaluator = core("iam_evaluator")
        granted = self._of(role)
        context = self._context(role, need)
        result = evaluator.evaluate(context, granted.policies, *granted.limits)
        if result.decision != "Allow":
            raise AccessDenied(_refusal(context, result.decision), need.action)
        self._remember(role, need, granted, result.matched_sid)

    def _of(self, role: str) -> _Granted:
        with self._lock:
            granted = self._granted.get(role)
            if granted is None:
                evaluator, roles = core("iam_evaluator"), service("iam")._roles
                granted = self._granted[role] = _Granted(
                    evaluator._gather_role_policies(role, ACCOUNT_ID),
                    evaluator._permissions_boundary(roles, role, ACCOUNT_ID),
                )
        return granted

    def _context(self, role: str, need: Need) -> Any:
        return core("iam_evaluator").EvalContext(
            principal_arn=f"arn:aws:iam::{ACCOUNT_ID}:role/{role}",
            principal_type="AssumedRole",
            principal_account=ACCOUNT_ID,
            action=need.action,
            resource_arn=need.resource,
            region=self._region,
            secure_transport=True,
            service_context=dict(need.context),
        )

    def _remember(self, role: str, need: Need, granted: _Granted, sid: str) -> None:
        matches = core("iam_evaluator").fnmatch_iam_cs
        for statement in granted.statements():
            if statement.sid == sid:
                for pattern in statement.resources:
                    if matches(need.resource, pattern):
                        with self._lock:
                            self._uses.add(Use(role, sid, need.action, pattern))


def role_name(arn: str) -> str:
    return arn.rpartition("/")[2]


def _refusal(context: Any, decision: str) -> str:
    because = (
        "with an explicit deny in an identity-based policy"
        if decision == "Deny"
        else f"because no identity-based policy allows the {context.action} action"
    )
    return (
        f"User: {context.principal_arn} is not authorized to perform: {context.action} on "
        f"resource: {context.resource_arn} {because}"
    )
