"""The actions of an alarm whose state changes: messages to topics, an event on the default bus, an entry in its history."""

import json
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import uuid4

import botocore.session

from localaws.cloudwatch.alarm_changes import Change, State
from localaws.cloudwatch.alarm_reasons import timestamp
from localaws.cloudwatch.alarm_records import queries_of
from localaws.embedded_ministack import ACCOUNT_ID, account_scope, core, service

_CLOUDWATCH = "cloudwatch.amazonaws.com"
_ACTIONS = {
    "ALARM": "AlarmActions",
    "OK": "OKActions",
    "INSUFFICIENT_DATA": "InsufficientDataActions",
}
_SUBJECT_MAX_LENGTH = 100
_OF_KEY = ("kms:Decrypt", "kms:GenerateDataKey")
_TRIGGER = (
    "Period",
    "EvaluationPeriods",
    "DatapointsToAlarm",
    "ComparisonOperator",
    "Threshold",
)
_log = logging.getLogger(__name__)


class AlarmActions:
    """Announces each change of an alarm once."""

    def __init__(self, region: str) -> None:
        self._region = region

    def announce(self, change: Change) -> None:
        with account_scope(self._region):
            self._record(change)
            self.act(change)
            if change.contributor is None:
                service("cloudwatch")._evaluate_parent_alarms(dict(change.alarm))

    def act(self, change: Change) -> None:
        """Send the event and the messages; what else follows from a change is the caller's."""
        self._send_event(change)
        if change.alarm.get("ActionsEnabled", True):
            for topic in change.alarm.get(_ACTIONS[change.new.value], []):
                self._publish(topic, change)

    def _record(self, change: Change) -> None:
        """Contributors have no history here."""
        if change.contributor is None:
            self._history(
                change,
                "StateUpdate",
                f"Alarm updated from {change.old.value} to {change.new.value}",
                {"oldState": _remembered(change.old), "newState": _remembered(change.new)},
            )

    def _publish(self, topic: str, change: Change) -> None:
        refusal = self._refusal(topic, change.alarm["AlarmArn"])
        if refusal is None:
            where = region_name(self._region)
            subject = f'{change.new.value}: "{change.alarm["AlarmName"]}" in {where}'
            body = json.dumps(message(change, self._region))
            service("sns")._fanout(topic, str(uuid4()), body, subject[:_SUBJECT_MAX_LENGTH])
            summary = f"Successfully executed action {topic}"
        else:
            _log.warning("alarm %s cannot notify %s: %s", change.alarm["AlarmName"], topic, refusal)
            summary = f'Failed to execute action {topic}. Received error: "{refusal}"'
        self._history(change, "Action", summary, {"publishedMessage": refusal is None})

    def _refusal(self, topic: str, alarm: str) -> str | None:
        """Return why CloudWatch may not publish to a topic, in AWS's words, or None."""
        found = service("sns")._topic_by_arn_any_scope(topic)
        if found is None:
            return "Topic does not exist"
        attributes = found["attributes"]
        if not self._allowed(attributes.get("Policy", ""), "sns:Publish", topic, alarm):
            return f"Resource: {topic} does not authorize {_CLOUDWATCH} to perform: SNS:Publish"
        key = attributes.get("KmsMasterKeyId")
        if key and not self._may_encrypt(key, alarm):
            return "CloudWatch Alarms does not have authorization to access the SNS topic encryption key."
        return None

    def _may_encrypt(self, key: str, alarm: str) -> bool:
        """Refuse a key of AWS's own, such as alias/aws/sns: it admits no alarms, and nobody can change its policy."""
        if key.rpartition(":")[2].startswith("alias/aws/"):
            return False
        policy = service("kms").key_policy_for_arn(key)
        return policy is not None and all(
            self._allowed(policy[0], action, key, alarm) for action in _OF_KEY
        )

    def _allowed(self, policy: str, action: str, resource: str, alarm: str) -> bool:
        if not policy:
            return False
        evaluator = core("iam_evaluator")
        context = evaluator.EvalContext(
            principal_arn="*",
            principal_type="Service",
            principal_account="",
            action=action,
            resource_arn=resource,
            region=self._region,
            secure_transport=True,
            service_context={
                "aws:sourcearn": alarm,
                "aws:sourceaccount": ACCOUNT_ID,
                "aws:sourceowner": ACCOUNT_ID,
            },
        )
        decided = evaluator.evaluate_resource_policy(policy, context, service=_CLOUDWATCH)
        return bool(decided.decision == "Allow")

    def _send_event(self, change: Change) -> None:
        of = "Contributor " if change.contributor else ""
        service("eventbridge")._put_events(
            {
                "Entries": [
                    {
                        "Source": "aws.cloudwatch",
                        "DetailType": f"CloudWatch Alarm {of}State Change",
                        "Detail": json.dumps(event_detail(change)),
                        "Resources": [change.alarm["AlarmArn"]],
                    }
                ]
            },
            allow_aws_source=True,
        )

    def _history(self, change: Change, kind: str, summary: str, data: Mapping[str, Any]) -> None:
        service("cloudwatch")._history_entries().append(
            {
                "AlarmName": change.alarm["AlarmName"],
                "AlarmType": "CompositeAlarm" if "AlarmRule" in change.alarm else "MetricAlarm",
                "Timestamp": f"{change.new.since:%Y-%m-%dT%H:%M:%SZ}",
                "HistoryItemType": kind,
                "HistorySummary": summary,
                "HistoryData": json.dumps({"version": "1.0", **data}),
            }
        )


def message(change: Change, region: str) -> dict[str, Any]:
    """Return the body of the message to a topic."""
    alarm = change.alarm
    described = {
        "AlarmName": alarm["AlarmName"],
        "AlarmDescription": alarm.get("AlarmDescription"),
        "AWSAccountId": ACCOUNT_ID,
        "AlarmConfigurationUpdatedTimestamp": _written(alarm["AlarmConfigurationUpdatedTimestamp"]),
        "NewStateValue": change.new.value,
        "NewStateReason": change.new.reason,
        "StateChangeTime": timestamp(change.new.since),
        "Region": region_name(region),
        "AlarmArn": alarm["AlarmArn"],
        "OldStateValue": change.old.value,
        **{actions: alarm.get(actions, []) for actions in _ACTIONS.values()},
    }
    if change.contributor is not None:
        described["AlarmContributorId"] = change.contributor.id
        described["AlarmContributorAttributes"] = dict(change.contributor.attributes)
    if "AlarmRule" in alarm:
        return described | {"AlarmRule": alarm["AlarmRule"]}
    return described | {"Trigger": _trigger(alarm)}


def event_detail(change: Change) -> dict[str, Any]:
    """Return the detail of the event on the bus."""
    alarm = change.alarm
    detail: dict[str, Any] = {"alarmName": alarm["AlarmName"], "state": _as_event(change.new)}
    if change.contributor is None:
        detail["previousState"] = _as_event(change.old)
    else:
        attributes = dict(change.contributor.attributes)
        detail["alarmContributor"] = {"id": change.contributor.id, "attributes": attributes}
    configuration = {"description": alarm.get("AlarmDescription", "")}
    if "AlarmRule" in alarm:
        return detail | {"configuration": configuration | {"alarmRule": alarm["AlarmRule"]}}
    metrics = [_metric_of_event(query) for query in queries_of(alarm)]
    return detail | {"configuration": configuration | {"metrics": metrics}}


@cache
def region_name(region: str) -> str:
    """Return a region's name as alarms have it, such as `US East (N. Virginia)` for us-east-1."""
    for partition in botocore.session.get_session().get_data("endpoints")["partitions"]:
        if region in partition["regions"]:
            return str(partition["regions"][region]["description"])
    return region


def _trigger(alarm: Mapping[str, Any]) -> dict[str, Any]:
    trigger = {name: alarm[name] for name in _TRIGGER if name in alarm}
    trigger["TreatMissingData"] = alarm.get("TreatMissingData", "missing")
    trigger["EvaluateLowSampleCountPercentile"] = ""
    if alarm.get("Metrics"):
        return trigger | {"Metrics": [_metric_of_message(query) for query in alarm["Metrics"]]}
    simple = "Statistic" in alarm
    return {
        "MetricName": alarm["MetricName"],
        "Namespace": alarm["Namespace"],
        "StatisticType": "Statistic" if simple else "ExtendedStatistic",
        **(
            {"Statistic": alarm["Statistic"].upper()}
            if simple
            else {"ExtendedStatistic": alarm["ExtendedStatistic"]}
        ),
        "Unit": alarm.get("Unit"),
        "Dimensions": _small_names(alarm.get("Dimensions", [])),
        **trigger,
    }


def _metric_of_message(query: Mapping[str, Any]) -> dict[str, Any]:
    described = {**query, "ReturnData": query.get("ReturnData", True)}
    if "MetricStat" in query:
        metric = query["MetricStat"]["Metric"]
        dimensions = _small_names(metric.get("Dimensions", []))
        described["MetricStat"] = {
            **query["MetricStat"],
            "Metric": {**metric, "Dimensions": dimensions},
        }
    return described


def _metric_of_event(query: Mapping[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        name[0].lower() + name[1:]: query[name]
        for name in ("Id", "Expression", "Label", "Period")
        if name in query
    }
    described["returnData"] = query.get("ReturnData", True)
    if "MetricStat" in query:
        stat = query["MetricStat"]
        metric = stat["Metric"]
        described["metricStat"] = {
            "metric": {
                "namespace": metric["Namespace"],
                "name": metric["MetricName"],
                "dimensions": {
                    each["Name"]: each["Value"] for each in metric.get("Dimensions", [])
                },
            },
            "period": stat["Period"],
            "stat": stat["Stat"],
        }
    return described


def _small_names(dimensions: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    return [{"value": each["Value"], "name": each["Name"]} for each in dimensions]


def _as_event(state: State) -> dict[str, Any]:
    described = {
        "value": state.value,
        "reason": state.reason,
        "timestamp": timestamp(state.since),
    }
    return described | ({"reasonData": state.reason_data} if state.reason_data else {})


def _remembered(state: State) -> dict[str, Any]:
    remembered: dict[str, Any] = {"stateValue": state.value, "stateReason": state.reason}
    if state.reason_data:
        remembered["stateReasonData"] = json.loads(state.reason_data)
    return remembered


def _written(time: float) -> str:
    return timestamp(datetime.fromtimestamp(time, UTC))
