"""CloudWatch's metrics and alarms; composite alarms and dashboards stay MiniStack's."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from localaws.api_request import ApiRequest, operation_model
from localaws.api_response import ApiError
from localaws.clock import Clock
from localaws.cloudwatch.alarm_requests import AlarmRequests
from localaws.cloudwatch.embedded_metrics import put_requests
from localaws.cloudwatch.get_metric_data import get_metric_data
from localaws.cloudwatch.metric_store import MetricKey, MetricStore, Sample, Samples
from localaws.cloudwatch.put_metric_data import parse
from localaws.cloudwatch.queue_depths import QueueDepths
from localaws.cloudwatch.reading import Reader
from localaws.cloudwatch.statistics import statistic_by_period
from localaws.limits import PUT_METRIC_DATA_MAX_BYTES
from localaws.timestamps import with_datetimes

_METRICS_PER_PAGE = 500
# MiniStack would answer them from a store of its own, in which there is nothing.
_NOT_IMPLEMENTED = frozenset(
    {"DescribeAlarmContributors", "GetMetricStatistics", "GetMetricWidgetImage"}
)


class CloudWatch:
    """Metrics of the local AWS."""

    def __init__(self, clock: Clock, region: str) -> None:
        self._clock = clock
        self._store = MetricStore()
        self.reader = Reader(self._store, clock)
        self.alarms = AlarmRequests(self.reader, clock, region)
        self.queues = QueueDepths(self.record_series, region)
        self._operations = {
            "PutMetricData": self._put,
            "GetMetricData": lambda parameters: get_metric_data(parameters, self.reader),
            "ListMetrics": self._list,
            **self.alarms.operations,
        }

    def pass_time(self, *, again: bool = True) -> None:
        """Count queues' messages and evaluate alarms, as CloudWatch does on its own.

        Without `again`, alarms that were evaluated for this minute wait for the next time, new data or not.
        """
        self.queues.report(self._clock.now())
        self.alarms.catch_up(again=again)

    def load_series(
        self,
        namespace: str,
        name: str,
        dimensions: Mapping[str, str],
        period_seconds: int,
        timestamps: Iterable[datetime] | np.ndarray[Any, Any],
        values: Iterable[float],
    ) -> None:
        """Put history of any age, by the back door: the value at each timestamp is every statistic there.

        What lies in the future stays invisible until the clock gets there.
        """
        numbers = np.asarray(list(values) if not hasattr(values, "shape") else values, np.float64)
        times = _epoch_seconds(timestamps) // period_seconds * period_seconds
        present = np.isfinite(numbers)
        samples = Samples.of_values(times[present], numbers[present])
        self._add(MetricKey.of(namespace, name, dimensions), samples)

    def record(
        self, namespace: str, name: str, value: float, unit: str, dimensions: Mapping[str, str]
    ) -> None:
        """Put a metric that AWS itself reports, now."""
        time = int(self._clock.now().timestamp()) // 60 * 60
        key = MetricKey.of(namespace, name, dimensions)
        self._add(key, Samples.of([Sample(time, value, 1.0, value, value, unit)]))

    def record_series(
        self, namespace: str, name: str, dimensions: Mapping[str, str], times: Any, values: Any
    ) -> None:
        """Put metrics of past times (epoch seconds) that AWS itself reports."""
        self._add(MetricKey.of(namespace, name, dimensions), Samples.of_values(times, values))

    def stored_series(
        self,
        namespace: str,
        name: str,
        dimensions: Mapping[str, str],
        period_seconds: int,
        statistic: str = "Maximum",
    ) -> dict[datetime, float]:
        """Return all that was put, by the back door: whatever its age, and also what cannot be read yet."""
        key = MetricKey.of(namespace, name, dimensions)
        samples = self._store.samples(key, -np.inf, np.inf)
        if samples is None:
            return {}
        times, values = statistic_by_period(samples, statistic, 0, period_seconds)
        moments = (datetime.fromtimestamp(time, UTC) for time in times.tolist())
        return dict(zip(moments, values.tolist(), strict=True))

    def read_log(self, log: str) -> None:
        """Take the embedded metrics of a function's log lines; those that are not valid are ignored, as CloudWatch does."""
        self.read_requests(put_requests(log))

    def read_requests(self, requests: Iterable[dict[str, Any]]) -> None:
        """Take metrics that were made of logs, as parameters of PutMetricData; those that are not valid are ignored."""
        for parameters in requests:
            with suppress(ApiError):
                self._put(parameters)

    def serves(self, operation: str) -> bool:
        return operation in self._operations or operation in _NOT_IMPLEMENTED

    def answer(self, request: ApiRequest) -> Mapping[str, Any]:
        if request.operation in _NOT_IMPLEMENTED:
            raise ApiError(
                "InvalidAction", f"The local CloudWatch does not implement {request.operation}."
            )
        if len(request.raw_body) > PUT_METRIC_DATA_MAX_BYTES:
            raise ApiError("RequestEntityTooLarge", "Request size exceeds the limit of 1 MB", 413)
        shape = operation_model("cloudwatch", request.operation).input_shape
        parameters = request.parameters
        if request.protocol == "json" and shape is not None:
            parameters = with_datetimes(parameters, shape)
        return self._operations[request.operation](parameters)

    def _put(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        found = parse(parameters, self._clock.now())
        # Alarms see each minute with the data that there were then, not with what arrives late for it.
        self.pass_time(again=False)
        for key, samples in found.items():
            self._add(key, Samples.of(samples))
        return {}

    def _add(self, key: MetricKey, samples: Samples) -> None:
        self._store.add(key, samples)
        self.alarms.alarms.touch(key)

    def _list(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        recent = parameters.get("RecentlyActive") == "PT3H"
        listed = self.reader.listed(timedelta(hours=3)) if recent else self.reader.listed()
        found = [key for key in listed if _matches(key, parameters)]
        start = int(parameters.get("NextToken", 0))
        end = start + _METRICS_PER_PAGE
        more = {"NextToken": str(end)} if end < len(found) else {}
        return {"Metrics": [_described(key) for key in found[start:end]], **more}


def _matches(key: MetricKey, parameters: Mapping[str, Any]) -> bool:
    dimensions = dict(key.dimensions)
    return (
        parameters.get("Namespace", key.namespace) == key.namespace
        and parameters.get("MetricName", key.name) == key.name
        and all(
            wanted["Name"] in dimensions
            and wanted.get("Value", dimensions[wanted["Name"]]) == dimensions[wanted["Name"]]
            for wanted in parameters.get("Dimensions", [])
        )
    )


def _described(key: MetricKey) -> dict[str, Any]:
    return {
        "Namespace": key.namespace,
        "MetricName": key.name,
        "Dimensions": [{"Name": name, "Value": value} for name, value in key.dimensions],
    }


def _epoch_seconds(timestamps: Iterable[datetime] | np.ndarray[Any, Any]) -> Any:
    if isinstance(timestamps, np.ndarray):
        if timestamps.dtype.kind == "M":
            return timestamps.astype("datetime64[s]").astype(np.int64)
        return timestamps.astype(np.int64)
    return np.array([int(moment.astimezone(UTC).timestamp()) for moment in timestamps], np.int64)
