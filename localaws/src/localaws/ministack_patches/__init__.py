"""Change MiniStack's behaviour where it differs from AWS's; this is the one place that does.

Each patch replaces attributes of MiniStack for as long as a local AWS runs. `upstream` lists them with what MiniStack
does without them. They reach into internals, so the version that they were written for is checked.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from localaws.calls import CallLog
from localaws.clock import Clock
from localaws.cloudwatch.service import CloudWatch
from localaws.event_sources.mappings import EventSourceMappings
from localaws.faults import Faults
from localaws.iam.permissions import Permissions
from localaws.kinesis.service import Kinesis
from localaws.lambda_runtime.executor import FunctionExecutor
from localaws.ministack_patches import lambda_functions, msk_clusters, own_resources, physical_names
from localaws.ministack_patches.alarm_resources import AlarmResources
from localaws.ministack_patches.condition_mappings import ConditionMappings
from localaws.ministack_patches.kinesis_resources import KinesisResources
from localaws.ministack_patches.mails import Mails
from localaws.ministack_patches.metric_filters import MetricFilters
from localaws.ministack_patches.metrics import Metrics
from localaws.ministack_patches.nested_templates import NestedTemplates
from localaws.ministack_patches.patching import Patches, check_version
from localaws.ministack_patches.source_mapping_resources import SourceMappingResources
from localaws.ministack_patches.source_mappings import Open, SourceMappings
from localaws.ministack_patches.stack_resources import StackResources
from localaws.ministack_patches.state_calls import StateCalls
from localaws.ministack_patches.state_children import Children
from localaws.ministack_patches.state_definitions import StateDefinitions
from localaws.ministack_patches.state_execution import Executions
from localaws.ministack_patches.state_history import Histories
from localaws.ministack_patches.state_paths import Paths
from localaws.ministack_patches.target_permissions import TargetPermissions
from localaws.ministack_patches.unsupported_properties import UnsupportedProperties

if TYPE_CHECKING:
    from localaws.event_sources.kafka_mappings import KafkaMappings


def apply_patches(
    clock: Clock,
    functions: FunctionExecutor,
    cloudwatch: CloudWatch,
    calls: CallLog,
    faults: Faults,
    permissions: Permissions,
    mails: Mails,
    mappings: EventSourceMappings,
    openings: Mapping[str, Open],
    kafka: "Callable[[], KafkaMappings]",
    msk_brokers: Callable[[], str],
) -> Patches:
    """Apply every patch but those of CloudFormation; `undo` of the result takes them back."""
    check_version()
    patches = Patches()
    state_calls = StateCalls(clock, calls, faults, permissions)
    lambda_functions.patch(patches, functions)
    StateDefinitions(patches)
    Paths(patches)
    Histories(patches)
    Executions(patches, clock, state_calls)
    Children(patches, clock, state_calls)
    TargetPermissions(patches, permissions)
    Metrics(patches, cloudwatch, clock)
    MetricFilters(patches, cloudwatch)
    SourceMappings(patches, mappings, clock, openings, kafka)
    msk_clusters.patch(patches, msk_brokers)
    mails.patch(patches)
    return patches


def patch_on_first_call(
    patches: Patches, service: str, cloudwatch: CloudWatch, kinesis: Kinesis
) -> None:
    """Patch a service that is too slow to import before it is called."""
    if service == "cloudformation":
        types = {
            "AWS::Kinesis::Stream": KinesisResources(kinesis).type,
            "AWS::Lambda::EventSourceMapping": SourceMappingResources().type,
        }
        own_resources.provide(patches, types)
        StackResources(patches)
        AlarmResources(patches, cloudwatch)
        ConditionMappings(patches)
        UnsupportedProperties(patches)
        NestedTemplates(patches)
        physical_names.patch(patches)
