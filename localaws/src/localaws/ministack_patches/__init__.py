"""The one place where MiniStack's behaviour is changed, because there it differs from AWS's.

Each mend replaces functions of MiniStack's for as long as a local AWS runs. They reach into internals, so the
version that they were written for is checked.
"""

from localaws.calls import CallLog
from localaws.clock import Clock
from localaws.cloudwatch.service import CloudWatch
from localaws.faults import Faults
from localaws.iam.permissions import Permissions
from localaws.lambda_runtime.executor import FunctionExecutor
from localaws.ministack_patches import lambda_functions
from localaws.ministack_patches.alarm_resources import AlarmResources
from localaws.ministack_patches.metrics import Metrics
from localaws.ministack_patches.nested_templates import NestedTemplates
from localaws.ministack_patches.patching import Mending, check_version
from localaws.ministack_patches.stack_resources import StackResources
from localaws.ministack_patches.state_calls import StateCalls
from localaws.ministack_patches.state_children import Children
from localaws.ministack_patches.state_definitions import StateDefinitions
from localaws.ministack_patches.state_execution import Executions
from localaws.ministack_patches.state_history import Histories
from localaws.ministack_patches.state_paths import Paths
from localaws.ministack_patches.state_permissions import StatePermissions
from localaws.ministack_patches.target_permissions import TargetPermissions
from localaws.ministack_patches.unsupported_properties import UnsupportedProperties


def mend(
    clock: Clock,
    functions: FunctionExecutor,
    cloudwatch: CloudWatch,
    calls: CallLog,
    faults: Faults,
    permissions: Permissions,
) -> Mending:
    """Apply every mend; `undo` of what is returned takes them back."""
    check_version()
    patching = Mending()
    lambda_functions.mend(patching, functions)
    StateDefinitions(patching)
    Paths(patching)
    Executions(patching, clock)
    Histories(patching)
    Children(patching, clock, StateCalls(clock, calls, faults))
    StatePermissions(patching, permissions)
    TargetPermissions(patching, permissions)
    Metrics(patching, cloudwatch, clock)
    return patching


def patch_on_first_call(patching: Mending, service: str, cloudwatch: CloudWatch) -> None:
    """Apply the mends of a service that is too slow to import before somebody needs it."""
    if service == "cloudformation":
        StackResources(patching)
        AlarmResources(patching, cloudwatch)
        UnsupportedProperties(patching)
        NestedTemplates(patching)
