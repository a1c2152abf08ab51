"""Step Functions: what a state machine does, it does with its role.

MiniStack lets every state machine do everything. The calls that Step Functions makes for a state machine stay
inside this process, so they do not pass the door; they are held against the role here.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from localaws.embedded_ministack import service
from localaws.iam.needs import Need
from localaws.iam.permissions import AccessDenied, Permissions, role_name
from localaws.ministack_patches.patching import Mending

_NESTED = ":::states:startExecution.sync"
_RULE = "StepFunctionsGetEventsForStepFunctionsExecutionRule"
_HEAR_OF_THE_END = ("events:PutRule", "events:PutTargets", "events:DescribeRule")
_role: ContextVar[str | None] = ContextVar("role", default=None)


def current_role() -> str | None:
    """The role of the state machine that runs here."""
    return _role.get()


class StatePermissions:
    def __init__(self, patching: Mending, permissions: Permissions) -> None:
        self._permissions = permissions
        self._states = service("stepfunctions")
        replace = patching.replace
        self._run_execution = replace(self._states, "_run_execution", self.run_execution)
        self._run_states = replace(self._states, "_run_sub_machine", self.run_states)
        self._call_lambda = replace(self._states, "_call_lambda", self.call_lambda)
        self._read_object = replace(self._states, "_s3_object_text", self.read_object)
        self._invoke = replace(self._states, "_invoke_resource", self.invoke)
        self._run_nested = replace(
            self._states, "_invoke_nested_start_execution_sync", self.run_nested
        )
        self._stop = replace(self._states, "_stop_execution", self.stop)
        self._invoke_with_timeout = replace(
            self._states, "_invoke_resource_with_timeout", self.invoke_with_timeout
        )

    def run_execution(self, arn: str) -> None:
        execution = self._states._executions.get(arn)
        machine = self._states._state_machines.get(execution["stateMachineArn"])
        with _acting_as(role_name(machine["roleArn"])):
            self._run_execution(arn)

    def run_states(
        self,
        states: Mapping[str, Any],
        start_at: str,
        data: Any,
        execution: Mapping[str, Any],
        context: Any,
    ) -> Any:
        """A child of a distributed Map is an execution that the Map starts and follows."""
        is_child = execution.get("mapRunArn") and not execution["events"]
        if is_child:
            machine = execution["stateMachineArn"].rpartition("/")[0]
            self._demand("states:StartExecution", machine)
            self._demand("states:DescribeExecution", execution["executionArn"])
        return self._run_states(states, start_at, data, execution, context)

    def call_lambda(self, reference: str, event: Any) -> Any:
        self._demand("lambda:InvokeFunction", reference)
        return self._call_lambda(reference, event)

    def read_object(self, bucket: str, key: str) -> Any:
        self._demand("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}")
        return self._read_object(bucket, key)

    def invoke(self, resource: str, request: Any) -> Any:
        if resource.endswith(":::sns:publish"):
            self._demand("sns:Publish", request["TopicArn"])
        return self._invoke(resource, request)

    def invoke_with_timeout(self, resource: str, request: Any, timeout: float) -> Any:
        if _NESTED in resource:
            self._demand_nested(request["StateMachineArn"])
        return self._invoke_with_timeout(resource, request, timeout)

    def run_nested(self, resource: str, request: Any) -> Any:
        self._demand_nested(request["StateMachineArn"])
        return self._run_nested(resource, request)

    def stop(self, request: Mapping[str, Any]) -> Any:
        """Step Functions stops a nested execution that takes too long; other stops are the operator's."""
        if current_role() is not None:
            self._demand("states:StopExecution", request["executionArn"])
        return self._stop(request)

    def _demand_nested(self, machine: str) -> None:
        """Step Functions hears of a nested execution's end through a rule of its own, and then looks at it."""
        self._demand("states:StartExecution", machine)
        rule = (
            f"{machine.replace(':states:', ':events:').partition(':stateMachine:')[0]}:rule/{_RULE}"
        )
        for action in _HEAR_OF_THE_END:
            self._demand(action, rule)
        execution = machine.replace(":stateMachine:", ":execution:")
        self._demand("states:DescribeExecution", f"{execution}:nested")

    def _demand(self, action: str, resource: str) -> None:
        role = current_role()
        if role is None:
            return
        try:
            self._permissions.demand(role, Need(action, resource))
        except AccessDenied as denied:
            raise self._states._ExecutionError("States.Permissions", str(denied)) from denied


@contextmanager
def _acting_as(role: str) -> Iterator[None]:
    token = _role.set(role)
    try:
        yield
    finally:
        _role.reset(token)
