"""An account's contents, remembered and put back: objects, items, datapoints, states of alarms, SageMaker's jobs and models.

Stacks, executions and what only they hold stay as they are: an application is deployed once, and tried many times.
"""

from collections import defaultdict
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from localaws import LocalAws
from localaws.cloudwatch.metric_store import MetricKey, Samples
from localaws.embedded_ministack import account_scope, service


@dataclass(frozen=True)
class Snapshot:
    """The contents of each service at one moment."""

    objects: Mapping[Any, dict[str, Any]]
    items: Mapping[Any, Any]
    datapoints: Mapping[MetricKey, list[Samples]]
    alarms: Mapping[str, tuple[dict[str, Any], Any]]
    sagemaker: list[dict[str, Any]]


def take(aws: LocalAws) -> Snapshot:
    """Remember what the account holds now; nothing may be running."""
    aws.cloudwatch.pass_time()
    progress = aws.cloudwatch.alarms.alarms._progress
    return Snapshot(
        {name: _copied(bucket["objects"]) for name, bucket in _buckets().items()},
        {name: deepcopy(dict(table["items"])) for name, table in _tables().items()},
        {key: list(parts) for key, parts in aws.cloudwatch._store._parts.items()},
        {
            name: (dict(record), _own(progress[name]))
            for name, record in _alarms(aws).items()
            if name in progress
        },
        [dict(getattr(holder, name)) for holder, name in _sagemaker(aws)],
    )


def put_back(aws: LocalAws, snapshot: Snapshot) -> None:
    """Return the account to a snapshot; the history of executions and calls stays, and no alarm tells anybody."""
    for name, bucket in _buckets().items():
        bucket["objects"] = _copied(snapshot.objects.get(name, {}))
    for name, table in _tables().items():
        table["items"] = defaultdict(dict, deepcopy(snapshot.items.get(name, {})))
    _put_datapoints_back(aws, snapshot.datapoints)
    _put_alarms_back(aws, snapshot.alarms)
    for (holder, name), held in zip(_sagemaker(aws), snapshot.sagemaker, strict=True):
        setattr(holder, name, dict(held))


def _put_datapoints_back(aws: LocalAws, datapoints: Mapping[MetricKey, list[Samples]]) -> None:
    store = aws.cloudwatch._store
    with store._lock:
        store._parts = {key: list(parts) for key, parts in datapoints.items()}
        store._added_to = set(store._parts)
        store._named = {}
        for key in store._parts:
            store._named.setdefault((key.namespace, key.name), []).append(key)


def _put_alarms_back(aws: LocalAws, states: Mapping[str, tuple[dict[str, Any], Any]]) -> None:
    alarms, records = aws.cloudwatch.alarms.alarms, _alarms(aws)
    with alarms._evaluating:
        for name, (record, progress) in states.items():
            if name in records:
                records[name].clear()
                records[name].update(record)
                alarms._progress[name] = _own(progress)


def _own(progress: Any) -> Any:
    return replace(progress, contributors=dict(progress.contributors))


def _copied(objects: Mapping[str, Any]) -> dict[str, Any]:
    """Copy objects whose bodies are never changed in place, although what is known of them may be."""
    return {key: dict(found) for key, found in objects.items()}


def _buckets() -> dict[Any, Any]:
    return service("s3")._buckets._data  # type: ignore[no-any-return]


def _tables() -> dict[Any, Any]:
    return service("dynamodb")._tables._data  # type: ignore[no-any-return]


def _alarms(aws: LocalAws) -> dict[str, Any]:
    with account_scope(aws.region):
        return dict(service("cloudwatch")._alarms.items())


def _sagemaker(aws: LocalAws) -> list[tuple[Any, str]]:
    jobs = aws._jobs
    assert jobs is not None
    return [
        (jobs.models, "_models"),
        (jobs.training.registry, "_jobs"),
        (jobs.transform.registry, "_jobs"),
    ]
