"""The one place where MiniStack's behaviour is changed, because there it differs from AWS's.

Each mend replaces functions of MiniStack's for as long as a local AWS runs. They reach into internals, so the
version that they were written for is checked.
"""

from local.aws.calls import CallLog
from local.aws.clock import Clock
from local.aws.cloudwatch.service import CloudWatch
from local.aws.faults import Faults
from local.aws.iam.permissions import Permissions
from local.aws.lambda_runtime.executor import FunctionExecutor
from local.aws.ministack_mends import lambda_functions
from local.aws.ministack_mends.alarm_resources import AlarmResources
from local.aws.ministack_mends.mending import Mending, check_version
from local.aws.ministack_mends.metrics import Metrics
from local.aws.ministack_mends.stack_resources import StackResources
from local.aws.ministack_mends.state_calls import StateCalls
from local.aws.ministack_mends.state_children import Children
from local.aws.ministack_mends.state_definitions import StateDefinitions
from local.aws.ministack_mends.state_execution import Executions
from local.aws.ministack_mends.state_history import Histories
from local.aws.ministack_mends.state_paths import Paths
from local.aws.ministack_mends.state_permissions import StatePermissions
from local.aws.ministack_mends.target_permissions import TargetPermissions
from local.aws.ministack_mends.unsupported_properties import UnsupportedProperties


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
    mending = Mending()
    lambda_functions.mend(mending, functions)
    StateDefinitions(mending)
    Paths(mending)
    Executions(mending, clock)
    Histories(mending)
    Children(mending, clock, StateCalls(clock, calls, faults))
    StatePermissions(mending, permissions)
    TargetPermissions(mending, permissions)
    Metrics(mending, cloudwatch, clock)
    return mending


def mend_on_first_call(mending: Mending, service: str, cloudwatch: CloudWatch) -> None:
    """Apply the mends of a service that is too slow to import before somebody needs it."""
    if service == "cloudformation":
        StackResources(mending)
        AlarmResources(mending, cloudwatch)
        UnsupportedProperties(mending)
