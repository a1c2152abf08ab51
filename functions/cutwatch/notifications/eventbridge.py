"""Anomaly events on EventBridge's default bus, for chat, tickets and automation. docs/events.md has their schema."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from time import sleep
from typing import TYPE_CHECKING, Any, cast

from cutwatch.aws.limits import PUT_EVENTS_MAX_BYTES, PUT_EVENTS_MAX_ENTRIES
from cutwatch.console_links import graph_url
from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.detectors.detector import Detector
from cutwatch.errors import AccessDenied, AwsError, RejectedRequest, ServiceFault
from cutwatch.notifications.detector_lines import METRIC_LABEL_LENGTH, StackPlace
from cutwatch.registry.outcome import Outcome

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

SOURCE = "cutwatch"
DETAIL_TYPE = "Anomaly Event"
_PAUSES_BEFORE_PUTTING_AGAIN = (0.2, 1.0)

# Errors of single entries that another try does not cure, as the guide's "PutEvents responses" lists them.
_LASTING: Mapping[str, type[AwsError]] = {
    **dict.fromkeys(
        (
            "AccessDenied",
            "AccessDeniedException",
            "NotAuthorizedForDetailType",
            "NotAuthorizedForDetailTypeException",
            "NotAuthorizedForSource",
            "NotAuthorizedForSourceException",
        ),
        AccessDenied,
    ),
    **dict.fromkeys(
        ("InvalidArgument", "MalformedDetail", "NoDetail", "NoDetailType", "NoSource"),
        RejectedRequest,
    ),
}

Entry = dict[str, str]


def entries(
    outcomes: Iterable[Outcome], place: StackPlace, run: str, silenced: set[str]
) -> Iterator[Entry]:
    """Yield an entry for every new event; consumers recognise duplicates by `id`, because EventBridge delivers at least once."""
    for outcome in outcomes:
        for event in outcome.events:
            detail = {
                **_detail(outcome, event, place),
                "run": run,
                "silenced": outcome.detector in silenced,
            }
            yield {"Source": SOURCE, "DetailType": DETAIL_TYPE, "Detail": json.dumps(detail)}


def entry(
    outcome: Outcome,
    event: AnomalyEvent,
    place: StackPlace,
    run: str,
    *,
    change: str,
    silenced: bool,
    reason: str | None = None,
) -> Entry:
    """Return the entry of a change of an incident that is scored live; duplicates have the same `id`, `change` and `end`.

    `reason` is why an incident ended that the metric itself has not ended.
    """
    detail = {
        **_detail(outcome, event, place),
        "run": run,
        "silenced": silenced,
        "change": change,
        **({"reason": reason} if reason else {}),
    }
    return {"Source": SOURCE, "DetailType": DETAIL_TYPE, "Detail": json.dumps(detail)}


def put(eventbridge: "EventBridgeClient", put_entries: Sequence[Entry]) -> None:
    """Put all entries; what EventBridge takes only in part is put again, and at last `ServiceFault` raised."""
    for request in _requests(put_entries):
        _put(eventbridge, request)


def _requests(put_entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Split entries into requests within EventBridge's limits on number and size."""
    request: list[Entry] = []
    room = PUT_EVENTS_MAX_BYTES
    for entry in put_entries:
        size = sum(len(text.encode()) for text in entry.values())
        if request and (len(request) == PUT_EVENTS_MAX_ENTRIES or size > room):
            yield request
            request, room = [], PUT_EVENTS_MAX_BYTES
        request.append(entry)
        room -= size
    if request:
        yield request


def _put(eventbridge: "EventBridgeClient", left: Sequence[Entry]) -> None:
    for pause in (*_PAUSES_BEFORE_PUTTING_AGAIN, None):
        answer = eventbridge.put_events(
            Entries=cast("Sequence[PutEventsRequestEntryTypeDef]", left)
        )
        refused = [
            (entry, result)
            for entry, result in zip(left, answer["Entries"], strict=True)
            if "ErrorCode" in result
        ]
        if not refused:
            return
        lasting = [each for each in refused if _class_of(each) is not ServiceFault]
        if lasting or pause is None:
            _, error = (lasting or refused)[0]
            raise _class_of((lasting or refused)[0])(
                "PutEvents",
                error["ErrorCode"],
                f"{len(refused)} events refused: {error.get('ErrorMessage', 'no reason given')}",
            )
        left = [entry for entry, _ in refused]
        sleep(pause)


def _class_of(refused: tuple[Entry, Mapping[str, Any]]) -> type[AwsError]:
    """Entries fail with codes of their own, next to a call that succeeds; what is not listed may pass."""
    return _LASTING.get(refused[1]["ErrorCode"], ServiceFault)


def _detail(outcome: Outcome, event: AnomalyEvent, place: StackPlace) -> dict[str, Any]:
    detail = {
        "version": "1",
        "stack": place.name,
        "detector": outcome.detector,
        **event.to_json(),
    }
    if outcome.definition:
        detail |= _metric(Detector.from_payload(outcome.definition), event, place)
    return detail


def _metric(detector: Detector, event: AnomalyEvent, place: StackPlace) -> Mapping[str, Any]:
    return {
        "metric": detector.metric_label[:METRIC_LABEL_LENGTH],
        "period_seconds": detector.period,
        "time_zone": detector.time_zone,
        "graph_url": graph_url(place.region, detector, place.namespace, event.begins, event.ends),
    }
