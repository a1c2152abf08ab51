"""AWS usage of one run over identical detectors, counted from how the state machines and functions work."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from cutwatch.aws.limits import (
    GET_METRIC_DATA_MAX_DATAPOINTS,
    GET_METRIC_DATA_MAX_QUERIES,
    METRIC_MAX_AGE,
    PUT_METRIC_DATA_MAX_DATUMS,
)
from cutwatch.detectors.detector import Engine
from cutwatch.registry.run import Kind
from cutwatch.timeseries.windows import LEAD_IN, LEAD_IN_DATAPOINTS
from cutwatch_cli.cost.assumptions import Assumptions
from cutwatch_cli.cost.fleet import Detectors, Schedule

# Bytes in a state's input: the run, and each dataset from Store Metric Data.
RUN_BYTES, DATASET_BYTES = 400, 350
DATUMS_PER_DATAPOINT, SUMMARY_DATUMS = 2, 2
# Of the expected range that a transform stores for the widget, an hour or a longer period a point (measured).
BAND_BYTES, BAND_BYTES_PER_POINT = 150, 20
_HOUR, _WRITE_UNIT = timedelta(hours=1), 1_024


@dataclass(frozen=True)
class Shape:
    """One child execution without its poll loops, and one detector's requests within it.

    `heavy` counts the invocations that compute. `writes` are units of 1 KB without the expected range; a detector's record
    takes about two.
    """

    states: int
    events: int
    invocations: int
    heavy: int
    jobs: int
    s3_puts: int
    s3_gets: int
    reads: int
    writes: int


SHAPES: Mapping[tuple[Engine, Kind], Shape] = {
    ("sagemaker", "training"): Shape(8, 33, 5, 2, 2, 6, 6, 3, 4),
    ("sagemaker", "transform"): Shape(6, 23, 3, 2, 1, 4, 7, 3, 4),
    ("lambda", "training"): Shape(6, 23, 3, 3, 0, 6, 6, 3, 4),
    ("lambda", "transform"): Shape(6, 23, 3, 3, 0, 5, 9, 3, 4),
}
# Wait, get status, choose.
POLL_STATES, POLL_EVENTS = 3, 9


@dataclass(frozen=True)
class RunWork:
    """One run. Numbers are totals of the run, unless their names say `child` or `each`."""

    detectors: Detectors
    kind: Kind
    schedule: Schedule
    assume: Assumptions

    @property
    def shape(self) -> Shape:
        return SHAPES[self.detectors.engine, self.kind]

    @property
    def window(self) -> timedelta:
        """New datapoints since the last run, at most as old as CloudWatch accepts; for a training, the history."""
        if self.kind == "training":
            return self.detectors.history
        month = timedelta(hours=self.assume.hours_per_month)
        return min(month / self.schedule.transforms, METRIC_MAX_AGE)

    @property
    def new_datapoints_each(self) -> float:
        return self.window / self.detectors.period

    @property
    def write_units_each(self) -> int:
        """DynamoDB write units per detector."""
        if self.kind == "training":
            return self.shape.writes
        points = self.window / max(_HOUR, self.detectors.period)
        return self.shape.writes + ceil((BAND_BYTES + BAND_BYTES_PER_POINT * points) / _WRITE_UNIT)

    @property
    def read_datapoints_each(self) -> float:
        """Datapoints read per detector; a transform reads its lead-in again."""
        period = self.detectors.period
        again = LEAD_IN_DATAPOINTS * period if self.kind == "transform" else timedelta()
        return (self.window + (max(again, LEAD_IN) if again else again)) / period

    @property
    def batch(self) -> int:
        """Detectors per child execution."""
        if self.detectors.engine == "sagemaker":
            return 1
        fitting = self.assume.batch_bytes // self.detectors.payload_bytes
        return int(max(min(self.assume.batch_size, fitting, self.detectors.count), 1))

    @property
    def children(self) -> int:
        return ceil(self.detectors.count / self.batch)

    @property
    def child_poll_rounds(self) -> int:
        minutes = (self.assume.training_job_minutes, self.assume.transform_job_minutes)
        jobs = minutes if self.kind == "training" else minutes[1:]
        rounds = [
            ceil((self.assume.job_start_minutes + job) * 60 / self.assume.poll_seconds)
            for job in jobs
        ]
        return sum(rounds) if self.shape.jobs else 0

    @property
    def child_events(self) -> int:
        return self.shape.events + POLL_EVENTS * self.child_poll_rounds

    @property
    def child_payload_bytes(self) -> int:
        return RUN_BYTES + self.batch * (self.detectors.payload_bytes + DATASET_BYTES)

    @property
    def transitions(self) -> int:
        """State transitions; starting a child counts as one more (assumed)."""
        return self.children * (1 + self.shape.states + POLL_STATES * self.child_poll_rounds)

    @property
    def invocations(self) -> int:
        return self.children * (self.shape.invocations + self.child_poll_rounds)

    @property
    def metrics_requested(self) -> int:
        return self.detectors.count * self._pages_each

    @property
    def get_calls(self) -> int:
        """GetMetricData calls; a batch reads together as many detectors as fit into one response."""
        together = GET_METRIC_DATA_MAX_DATAPOINTS // max(ceil(self.read_datapoints_each), 1)
        together = max(min(together, GET_METRIC_DATA_MAX_QUERIES, self.batch), 1)
        return self._pages_each * ceil(self.batch / together) * self.children

    @property
    def _pages_each(self) -> int:
        return ceil(self.read_datapoints_each / GET_METRIC_DATA_MAX_DATAPOINTS)

    @property
    def put_calls(self) -> int:
        if self.kind == "training":
            return 0
        datums = DATUMS_PER_DATAPOINT * self.new_datapoints_each + SUMMARY_DATUMS
        return self.detectors.count * ceil(datums / PUT_METRIC_DATA_MAX_DATUMS)

    @property
    def s3_puts(self) -> int:
        return self.detectors.count * self.shape.s3_puts

    @property
    def s3_gets(self) -> int:
        return self.detectors.count * self.shape.s3_gets

    @property
    def heavy_seconds(self) -> float:
        """Seconds of the functions that compute: starts, sequential calls to AWS, and datapoints."""
        each = self.shape.s3_puts + self.shape.s3_gets + self.shape.reads + self.shape.writes
        each += self.kind == "transform"  # the expected range
        calls = self.detectors.count * each + self.get_calls + self.put_calls
        milliseconds = self.read_datapoints_each * self.assume.handling_milliseconds
        if self.detectors.engine == "lambda":
            milliseconds += self.new_datapoints_each * self.assume.forest_milliseconds
        if self.kind == "transform":
            milliseconds += self.new_datapoints_each * self.assume.publishing_milliseconds
        starts = self.children * self.shape.heavy * self.assume.function_start_seconds
        computing = self.detectors.count * milliseconds / 1_000
        return starts + calls * self.assume.call_seconds + computing

    @property
    def light_seconds(self) -> float:
        light = self.invocations - self.children * self.shape.heavy
        return light * (self.assume.function_start_seconds + self.assume.call_seconds)

    @property
    def gb_seconds(self) -> float:
        heavy = self.heavy_seconds * self.assume.batch_memory_mb
        return (heavy + self.light_seconds * self.assume.function_memory_mb) / 1_024

    @property
    def training_hours(self) -> float:
        minutes = self.assume.training_job_minutes * self.assume.training_instances
        return self.detectors.count * max(self.shape.jobs - 1, 0) * minutes / 60

    @property
    def transform_hours(self) -> float:
        """Billed hours of transform jobs; a training scores its data with a transform job, too."""
        minutes = self.assume.transform_job_minutes * self.assume.transform_instances
        return self.detectors.count * min(self.shape.jobs, 1) * minutes / 60

    @property
    def minutes(self) -> float:
        """Duration of the run in minutes, with the configured number of children in parallel."""
        waiting = self.child_poll_rounds * self.assume.poll_seconds
        child = (self.heavy_seconds + self.light_seconds) / self.children + waiting
        at_once = {
            "sagemaker": self.assume.sagemaker_concurrency,
            "lambda": self.assume.lambda_concurrency,
        }
        return ceil(self.children / at_once[self.detectors.engine]) * child / 60
