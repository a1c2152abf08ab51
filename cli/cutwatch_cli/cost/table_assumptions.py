"""Assumptions of the cost estimate of a table: defaults of `stacks/table.yaml` and `stacks/table_forest.yaml`, measurements, and guesses."""

from dataclasses import dataclass, fields

from cutwatch_cli.cost.assumptions import assume
from cutwatch_cli.cost.stream_assumptions import POSITIVE as OF_RECORDS
from cutwatch_cli.cost.stream_assumptions import RecordAssumptions, StreamAssumptions


@dataclass(frozen=True)
class TableAssumptions(RecordAssumptions):
    """Assumed numbers of a table's stack, of either engine."""

    batching_window_seconds: float = assume(1, "BatchingWindowSeconds")
    record_microseconds: float = assume(
        22,
        "to read a change, and to look up and detect without its forest (measured, benchmarks/table.py)",
    )
    tree_microseconds: float = assume(
        0.8, "per tree to score and learn a change of a single key (measured, the same)"
    )
    mixed_tree_microseconds: float = assume(
        2.8, "the same where changes of several keys alternate (measured, the same)"
    )
    metrics: float = assume(10, "custom metrics of a table")
    alarm_metrics: float = assume(
        6, "metrics of the alarms of the stack of forests: four have one, one has two"
    )
    endpoint_alarm_metrics: float = assume(
        9, "metrics of the alarms of the stack of an endpoint: one more has three"
    )
    endpoint_sweeps_per_hour: float = assume(
        12, "invocations of the function that ends incidents by endpoint"
    )
    endpoint_sweep_memory_mb: float = assume(512, "memory of that function")
    endpoint_instances: float = assume(1, "EndpointInstanceCount")
    endpoint_milliseconds: float = assume(
        10, "of a request to the endpoint before and after its rows (guess)"
    )
    endpoint_row_microseconds: float = assume(
        30, "to score a row, by the local AWS's own forest of 100 trees (measured, the same)"
    )
    endpoint_row_bytes: float = assume(60, "of a row and its score, in and out")
    serverless_memory_mb: float = assume(2_048, "ServerlessMemorySize")
    overlap_hours: float = assume(
        0.25, "hours of both models' instances: BakeSeconds, and the start of the new one (guess)"
    )
    hours_between_trainings: float = assume(168, "TrainingSchedule: weekly")
    training_job_minutes: float = assume(4, "billed minutes of a SageMaker training job (guess)")
    transform_job_minutes: float = assume(4, "billed minutes of a SageMaker transform job (guess)")
    read_units_per_second: float = assume(
        100, "ReadUnitsPerSecond; more for a table that a function could not read in time"
    )
    preparation_memory_mb: float = assume(3_008, "PreparationMemorySize")
    item_microseconds: float = assume(14, "to make a row of an item (measured, docs/tables.md)")
    glue_workers: float = assume(2, "GlueWorkers, a data processing unit each")
    glue_minutes: float = assume(
        4, "billed minutes of a Glue job, and a minute more for each 2 million items (guess)"
    )
    training_transitions: float = assume(
        60, "state transitions of a training that looks at each job a few times"
    )
    training_invocations: float = assume(25, "invocations of a training, of 1 s each (guess)")

    @property
    def of_streams(self) -> StreamAssumptions:
        """The assumptions for stored states, which are those of a stream."""
        shared = {each.name: getattr(self, each.name) for each in fields(RecordAssumptions)}
        return StreamAssumptions(**shared)


NAMES = [one.name for one in fields(TableAssumptions)]
# Divisors.
POSITIVE = OF_RECORDS | {"hours_between_trainings", "read_units_per_second"}
