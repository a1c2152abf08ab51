"""EventBridge: deliver with the target's role, or to the target's dead-letter queue."""

import json
import logging
from collections.abc import Mapping
from typing import Any

from localaws.embedded_ministack import ACCOUNT_ID, core, service
from localaws.iam.needs import Need
from localaws.iam.permissions import AccessDenied, Permissions, role_name
from localaws.ministack_patches.patching import Patches

_EVENTBRIDGE = "events.amazonaws.com"
_log = logging.getLogger(__name__)


class TargetPermissions:
    def __init__(self, patches: Patches, permissions: Permissions) -> None:
        self._permissions = permissions
        self._bus = service("eventbridge")
        self._invoke = patches.replace(self._bus, "_invoke_target", self.invoke)

    def invoke(
        self,
        target: Mapping[str, Any],
        event: Mapping[str, Any],
        rule: Mapping[str, Any],
        *view: Any,
    ) -> None:
        try:
            self._check(target)
        except AccessDenied as denied:
            _log.warning("rule %s cannot reach its target: %s", rule["Name"], denied)
            self._bury(target, event, rule)
        else:
            self._invoke(target, event, rule, *view)

    def _check(self, target: Mapping[str, Any]) -> None:
        if ":states:" in target["Arn"]:
            self._demand_start(target)
        elif ":lambda:" in target["Arn"] and "RoleArn" in target:  # of a schedule
            need = Need("lambda:InvokeFunction", target["Arn"])
            self._permissions.demand(role_name(target["RoleArn"]), need)

    def _demand_start(self, target: Mapping[str, Any]) -> None:
        if "RoleArn" not in target:
            raise AccessDenied(f"the target {target['Arn']} has no role")
        need = Need("states:StartExecution", target["Arn"])
        self._permissions.demand(role_name(target["RoleArn"]), need)

    def _bury(
        self, target: Mapping[str, Any], event: Mapping[str, Any], rule: Mapping[str, Any]
    ) -> None:
        queue = target.get("DeadLetterConfig", {}).get("Arn")
        if queue is None or not self._may_send(queue, rule["Arn"]):
            return
        described = self._bus._pattern_event_view(event).event_with_detail()
        self._bus._dispatch_to_sqs(core("arn").parse_arn(queue), json.dumps(described), {})

    @staticmethod
    def _may_send(queue: str, rule: str) -> bool:
        allowed: bool = service("sqs").queue_policy_allows(queue, _EVENTBRIDGE, rule, ACCOUNT_ID)
        return allowed
