"""What an account holds, remembered and put back: objects, items, datapoints, states of alarms, SageMaker's jobs and models.

Stacks, executions and what only they hold stay as they are: an application is deployed once, and tried many times.
"""

from collections import defaultdict
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from localaws.cloudwatch.service import CloudWatch
from localaws.embedded_ministack import service
from localaws.sagemaker.service import SageMaker


@dataclass(frozen=True)
class Snapshot:
    """The contents of each service at one moment."""

    objects: dict[Any, dict[str, Any]]
    items: dict[Any, Any]
    datapoints: Any
    alarms: Any
    sagemaker: Any


def take(cloudwatch: CloudWatch, sagemaker: SageMaker) -> Snapshot:
    return Snapshot(
        {name: _copied(bucket["objects"]) for name, bucket in _buckets().items()},
        {name: deepcopy(dict(table["items"])) for name, table in _tables().items()},
        *cloudwatch.contents(),
        sagemaker.contents(),
    )


def put_back(snapshot: Snapshot, cloudwatch: CloudWatch, sagemaker: SageMaker) -> None:
    for name, bucket in _buckets().items():
        bucket["objects"] = _copied(snapshot.objects.get(name, {}))
    for name, table in _tables().items():
        table["items"] = defaultdict(dict, deepcopy(snapshot.items.get(name, {})))
    cloudwatch.put_back(snapshot.datapoints, snapshot.alarms)
    sagemaker.put_back(snapshot.sagemaker)


def _copied(objects: dict[str, Any]) -> dict[str, Any]:
    """Bodies are never changed in place, what is known of them may be."""
    return {key: dict(found) for key, found in objects.items()}


def _buckets() -> dict[Any, Any]:
    return service("s3")._buckets._data  # type: ignore[no-any-return]


def _tables() -> dict[Any, Any]:
    return service("dynamodb")._tables._data  # type: ignore[no-any-return]
