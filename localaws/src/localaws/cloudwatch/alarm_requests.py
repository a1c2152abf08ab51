"""PutMetricAlarm and DescribeAlarms."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from localaws.cloudwatch.alarm_actions import AlarmActions
from localaws.cloudwatch.alarm_records import (
    Record,
    described,
    queries_of,
    record_of,
    watched_query,
)
from localaws.cloudwatch.alarm_rules import check_alarm, wrong
from localaws.cloudwatch.alarms import Alarms
from localaws.cloudwatch.metric_queries import Queries
from localaws.cloudwatch.reading import Reader, TellsTime, Window
from localaws.embedded_ministack import ACCOUNT_ID, account_scope, service

_MAX_RECORDS = 100
_USUAL_RECORDS = 50
_DESCRIBED_BY = {
    "AlarmNamePrefix",
    "AlarmNames",
    "AlarmTypes",
    "MaxRecords",
    "NextToken",
    "StateValue",
}

_Parameters = Mapping[str, Any]


class AlarmRequests:
    """The alarms of one account and region, which MiniStack stores next to its composite ones."""

    def __init__(self, reader: Reader, clock: TellsTime, region: str) -> None:
        self._reader = reader
        self._clock = clock
        self._region = region
        self.actions = AlarmActions(region)
        self.alarms = Alarms(reader, clock, self._records, self.actions.announce)
        self.operations: Mapping[str, Callable[[_Parameters], dict[str, Any]]] = {
            "PutMetricAlarm": self._put,
            "DescribeAlarms": self._describe,
        }

    def catch_up(self, *, again: bool = True) -> None:
        """Evaluate what the clock has passed; without `again`, only what it has not been evaluated for yet."""
        with account_scope(self._region):
            if service("cloudwatch")._alarms:
                self.alarms.catch_up(again=again)

    def put(self, settings: _Parameters) -> Record:
        """Put an alarm as PutMetricAlarm does, or raise what that would answer."""
        check_alarm(settings, self._region)
        self._try(settings)
        name = settings["AlarmName"]
        arn = f"arn:aws:cloudwatch:{self._region}:{ACCOUNT_ID}:alarm:{name}"
        with self._store() as store:
            existing = store._alarms.get(name)
            record = record_of(settings, arn, self._clock.now(), existing)
            if existing is None:
                self.alarms.forget(name)
                if settings.get("Tags"):
                    tags = {tag["Key"]: tag["Value"] for tag in settings["Tags"]}
                    store._resource_tags[arn] = tags
            # The store's own entry: it records the creation, and has the alarm evaluated.
            store.cloudformation_put_metric_alarm(record)
        return record

    def evaluate(self, record: Record) -> None:
        """Evaluate an alarm that has just been stored."""
        self.alarms.renew(record["AlarmName"])
        self.catch_up()

    def _put(self, parameters: _Parameters) -> dict[str, Any]:
        self.put(parameters)
        return {}

    def _try(self, settings: _Parameters) -> None:
        """Refuse what only an evaluation shows, such as an expression that results in no time series."""
        now = self._clock.now().timestamp()
        queries = Queries(queries_of(settings), Window(now - 3_600, now), self._reader)
        watched = watched_query(settings)["Id"]
        if not queries.is_insights(watched):
            queries.series(watched)

    def _describe(self, parameters: _Parameters) -> dict[str, Any]:
        for name in sorted(parameters.keys() - _DESCRIBED_BY):
            raise wrong(f"The local CloudWatch does not implement {name} of DescribeAlarms.")
        most = parameters.get("MaxRecords", _USUAL_RECORDS)
        if not 1 <= most <= _MAX_RECORDS:
            raise wrong(f"MaxRecords must be between 1 and {_MAX_RECORDS}, not {most}.")
        kinds = parameters.get("AlarmTypes") or ["MetricAlarm"]
        self.catch_up()
        with self._store() as store:
            stored = {"MetricAlarm": store._alarms, "CompositeAlarm": store._composite_alarms}
            found = [
                (record["AlarmName"], kind, described(record, kind))
                for kind in kinds
                if kind in stored
                for record in list(stored[kind].values())
                if _is_asked_for(record, parameters)
            ]
            listed = sorted(found, key=lambda each: each[:2])
        # As on AWS, a page begins at the first name that is not before the token.
        following = [each for each in listed if each[0] >= parameters.get("NextToken", "")]
        page, rest = following[:most], following[most:]
        answer: dict[str, Any] = {
            f"{kind}s": [record for _, found, record in page if found == kind] for kind in stored
        }
        return answer | ({"NextToken": rest[0][0]} if rest else {})

    def _records(self) -> Mapping[str, Record]:
        with self._store() as store:
            return dict(store._alarms.items())

    @contextmanager
    def _store(self) -> Iterator[Any]:
        with account_scope(self._region):
            yield service("cloudwatch")


def _is_asked_for(record: Record, parameters: _Parameters) -> bool:
    names: Sequence[str] = parameters.get("AlarmNames") or [record["AlarmName"]]
    return (
        record["AlarmName"] in names
        and record["AlarmName"].startswith(parameters.get("AlarmNamePrefix", ""))
        and parameters.get("StateValue", record["StateValue"]) == record["StateValue"]
    )
