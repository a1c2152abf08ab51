"""CloudWatch Logs: metric filters are checked when they are put, and publish when events arrive."""

from collections.abc import Mapping, Sequence
from typing import Any

from localaws.cloudwatch.service import CloudWatch
from localaws.embedded_ministack import service
from localaws.logs import metric_filters
from localaws.ministack_patches.patching import Patches


class MetricFilters:
    def __init__(self, patches: Patches, cloudwatch: CloudWatch) -> None:
        self._cloudwatch = cloudwatch
        self._logs = service("cloudwatch_logs")
        self._append = patches.replace(self._logs, "_append_log_events", self.append)
        self._put = patches.replace(self._logs, "_put_metric_filter", self.put)

    def put(self, parameters: dict[str, Any]) -> Any:
        """Put a filter, unless its pattern or its transformation is not valid."""
        try:
            metric_filters.check(parameters)
        except ValueError as error:
            text = f"{parameters.get('filterName')}: {error}"
            return self._logs.error_response_json("InvalidParameterException", text, 400)
        return self._put(parameters)

    def append(self, stream: dict[str, Any], events: Sequence[Mapping[str, Any]]) -> None:
        """Store the events of a stream, then publish the metrics of its group's filters."""
        self._append(stream, events)
        group = self._group_of(stream)
        for metric_filter in [*self._logs._metric_filters.values()]:
            if metric_filter["logGroupName"] == group:
                self._cloudwatch.read_requests(metric_filters.put_requests(metric_filter, events))

    def _group_of(self, stream: dict[str, Any]) -> str | None:
        groups = self._logs._log_groups
        return next(
            (
                name
                for name, group in [*groups.items()]
                if any(each is stream for each in group["streams"].values())
            ),
            None,
        )
