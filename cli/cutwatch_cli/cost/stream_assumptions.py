"""Assumptions of the cost estimate of a stream: defaults of `stacks/stream.yaml`, measurements, and guesses."""

from dataclasses import dataclass, fields

from cutwatch_cli.cost.assumptions import NamedAssumptions, assume


@dataclass(frozen=True)
class RecordAssumptions(NamedAssumptions):
    """Assumed numbers of functions that score records as they arrive, with forests in S3."""

    hours_per_month: float = assume(730, "hours per month, as in the AWS Pricing Calculator")
    batch_size: float = assume(1_000, "BatchSize: records in a batch at most")
    memory_mb: float = assume(1_769, "MemorySize of the scoring function: one processor")
    sweep_memory_mb: float = assume(1_024, "memory of the function that closes windows")
    sweeps_per_hour: float = assume(60, "invocations of the function that closes windows")
    record_microseconds: float = assume(
        9,
        "to decode and classify a record, without its forest (measured, benchmarks/stream_state.py)",
    )
    tree_microseconds: float = assume(
        0.54, "per tree to score and learn a record of a single key (measured, the same)"
    )
    mixed_tree_microseconds: float = assume(
        3,
        "the same where records of several keys alternate, so that forests leave the processor's cache (measured, the same)",
    )
    state_milliseconds_per_mb: float = assume(
        2.5, "to write a key's state (measured, the same); as much to read it"
    )
    batch_milliseconds: float = assume(10, "of an invocation before and after its work (guess)")
    call_milliseconds: float = assume(50, "of a call to S3 (guess)")
    s3_mb_per_second: float = assume(80, "between function and S3 (guess)")
    s3_calls_at_once: float = assume(1, "calls to S3 that a batch makes at the same time")
    cached_mb: float = assume(256, "states that an execution environment keeps in memory")
    rereads: float = assume(
        0.02, "share of states in memory that are read again: new environments, lost races (guess)"
    )
    sweep_seconds: float = assume(0.3, "of a sweep before it reads headers (guess)")
    log_kilobytes_per_invocation: float = assume(
        2.2, "two lines of 1.1 kB (measured) and Lambda's own (guess)"
    )
    metrics: float = assume(10, "custom metrics of a stream")
    alarm_metrics: float = assume(7, "metrics of the stack's alarms: five have one, one has two")
    dashboards: float = assume(1, "the stack's dashboard; an account's first three are free")
    rejected_share: float = assume(0.001, "rejected records (guess); ten share a request to SQS")
    incidents_per_day: float = assume(10, "incidents of the stream (guess)")
    changes_per_incident: float = assume(
        2.5, "notified changes: each is three writes and one read of the registry, and an event"
    )


@dataclass(frozen=True)
class StreamAssumptions(RecordAssumptions):
    """Assumed numbers of a stream's stack and of the alternatives to it."""

    log_record_microseconds: float = assume(
        60,
        "to decode a log record, compute its features and score it by an SVM (measured, docs/logs.md)",
    )
    log_tree_microseconds: float = assume(
        1.6, "per tree to score and learn a log record (measured, the same)"
    )
    endpoint_instances: float = assume(1, "instances of the endpoint of a log")
    endpoint_milliseconds: float = assume(
        10, "of a request to the endpoint before and after its rows (guess)"
    )
    endpoint_row_microseconds: float = assume(
        30,
        "to score a row in the endpoint, by the local AWS's own forest (measured, docs/tables.md)",
    )
    log_metrics: float = assume(4, "custom metrics that a Kafka stack makes of its log lines")
    event_poller_units: float = assume(
        1,
        "event poller units of a Kafka stream; ten pollers share one, also of several topics in a VPC",
    )
    flink_kpus: float = assume(
        2, "one processing unit for the application, one more that AWS adds to run it"
    )
    flink_gb: float = assume(50, "running storage of a processing unit")
    opensearch_nodes: float = assume(2, "data nodes of the smallest domain that survives a failure")


NAMES = [one.name for one in fields(StreamAssumptions)]
# Divisors.
POSITIVE = {
    "hours_per_month",
    "batch_size",
    "s3_mb_per_second",
    "s3_calls_at_once",
    "cached_mb",
}
