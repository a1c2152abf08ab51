"""AWS usage of a month of runs, by the names of its prices."""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import fsum

from cutwatch.metric_names import ANOMALOUS_DATAPOINTS, ANOMALY, ANOMALY_SCORE, MAX_ANOMALY_SCORE
from cutwatch_cli.cost.assumptions import Assumptions
from cutwatch_cli.cost.fleet import KINDS, Detectors, Schedule
from cutwatch_cli.cost.run_work import RunWork

DETECTOR_METRICS = len((ANOMALY, ANOMALY_SCORE, ANOMALOUS_DATAPOINTS, MAX_ANOMALY_SCORE))
# Totals of a run and operational metrics of the functions, approximately.
RUN_METRICS = 10
# Metrics that Check Freshness publishes once a day.
DAILY_METRICS = 2
FIRST_METRICS = 10_000
# Once per run, independent of the number of detectors: list, retire, summarize, and the states around them.
RUN_INVOCATIONS, RUN_STATES, RUN_OBJECTS, RUN_READS = 3, 14, 3, 3
_GB, _DAYS_OF_HOURS = 1e9, 24

Usage = Mapping[str, float]


def usage(groups: Sequence[Detectors], schedule: Schedule, assume: Assumptions) -> Usage:
    """Return monthly quantities in the units of the prices with the same names."""
    total: Counter[str] = Counter()
    for kind in KINDS:
        runs = schedule.runs(kind)
        if not runs:
            continue
        works = [RunWork(group, kind, schedule, assume) for group in groups]
        for work in works:
            total.update({name: runs * quantity for name, quantity in _of_run(work).items()})
        total.update({name: runs * quantity for name, quantity in _around(assume).items()})
    total.update(_standing(groups, schedule, assume))
    return dict(total)


def _of_run(work: RunWork) -> dict[str, float]:
    assume, count = work.assume, work.detectors.count
    logs = work.invocations * assume.log_kilobytes_per_invocation
    return {
        "get_metric_data": work.metrics_requested,
        "put_metric_data": work.put_calls,
        "training_hour": work.training_hours,
        "transform_hour": work.transform_hours,
        "lambda_gb_second": work.gb_seconds,
        "lambda_request": work.invocations,
        "state_transition": work.transitions,
        "s3_put": work.s3_puts,
        "s3_get": work.s3_gets,
        "dynamodb_write": count * work.write_units_each,
        "dynamodb_read": count * work.shape.reads,
        "log_gb": (logs + count * assume.log_kilobytes_per_detector) * 1e3 / _GB,
    }


def _around(assume: Assumptions) -> dict[str, float]:
    seconds = RUN_INVOCATIONS * (assume.function_start_seconds + 1)
    return {
        "put_metric_data": 1,
        "lambda_gb_second": seconds * assume.function_memory_mb / 1_024,
        "lambda_request": RUN_INVOCATIONS,
        "state_transition": RUN_STATES,
        "s3_put": RUN_OBJECTS,
        "s3_get": RUN_OBJECTS,
        "dynamodb_write": RUN_READS,
        "dynamodb_read": RUN_READS,
        "log_gb": RUN_INVOCATIONS * assume.log_kilobytes_per_invocation * 1e3 / _GB,
    }


def _standing(
    groups: Sequence[Detectors], schedule: Schedule, assume: Assumptions
) -> dict[str, float]:
    detectors = sum(group.count for group in groups)
    metrics = _metric_months(detectors, schedule, assume)
    return {
        "custom_metric": min(metrics, FIRST_METRICS),
        "custom_metric_beyond": max(metrics - FIRST_METRICS, 0),
        "alarm": assume.stack_alarm_metrics + _detector_alarms(detectors, schedule, assume),
        "dashboard": assume.dashboards,
        "s3_gb_month": fsum(_stored_gb(group, schedule, assume) for group in groups),
    }


def _metric_months(detectors: int, schedule: Schedule, assume: Assumptions) -> float:
    """Return billed metric-months; a metric that is published weekly counts its hours only."""
    days = assume.hours_per_month / _DAYS_OF_HOURS
    return (
        DETECTOR_METRICS * detectors * _share(schedule.transforms, assume)
        + RUN_METRICS * _share(schedule.transforms + schedule.trainings, assume)
        + DAILY_METRICS * _share(days, assume)
    )


def _detector_alarms(detectors: int, schedule: Schedule, assume: Assumptions) -> float:
    by_detector = assume.alarms_by_detector * _share(schedule.transforms, assume)
    return detectors * (assume.alarms_per_detector + by_detector)


def _share(publications: float, assume: Assumptions) -> float:
    """Return the share of a month's hours in which something with this many publications has data."""
    return min(publications * assume.metric_hours_per_publication / assume.hours_per_month, 1)


def _stored_gb(group: Detectors, schedule: Schedule, assume: Assumptions) -> float:
    """Return the gigabytes stored once the first objects expire."""
    days = assume.hours_per_month / _DAYS_OF_HOURS
    read = fsum(
        schedule.runs(kind) * RunWork(group, kind, schedule, assume).read_datapoints_each
        for kind in KINDS
        if schedule.runs(kind)
    )
    data = read * assume.stored_bytes_per_datapoint * assume.data_days / days
    model = {"lambda": assume.forest_kilobytes, "sagemaker": assume.model_kilobytes}[group.engine]
    kept = schedule.trainings * assume.model_days / days
    # A forest in Lambda keeps its last two checkpoints as well.
    carried = 2 if group.engine == "lambda" and schedule.transforms else 0
    return group.count * (data + model * 1e3 * (kept + carried)) / _GB
