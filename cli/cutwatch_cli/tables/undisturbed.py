"""Rides scored by one forest in memory, one after the other: what a deployed forest must give through all faults."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from cutwatch.detectors.detectors_file import parse_configuration
from cutwatch.streams.key_states import KeyStates
from cutwatch.tables.changes import changes_of
from cutwatch.tables.forest_scoring import change_scorer
from cutwatch.tables.forest_state import TableBucket, raw_change
from cutwatch_cli.tables.ridership import Ride


def undisturbed_rows(declaration: Mapping[str, Any], rides: Sequence[Ride]) -> dict[str, Any]:
    """Return the payload of each scored row by its time."""
    [table] = parse_configuration(json.dumps({"detectors": [], "tables": [declaration]})).tables
    scorer = change_scorer(table, keeps_rows=True)
    bucket = TableBucket(0, KeyStates(table.as_stream))
    changes = changes_of({"Records": [_record(number, ride) for number, ride in enumerate(rides)]})
    arrived = scorer.by_bucket([raw_change(each) for each in changes])[0]
    scorer.score(bucket, arrived)
    return {row["time"]: row for row in bucket.outbox.rows}


def _record(number: int, ride: Ride) -> dict[str, Any]:
    return {
        "eventName": "INSERT",
        "dynamodb": {
            "Keys": {"id": ride.item["id"]},
            "NewImage": ride.item,
            "SequenceNumber": str(number),
            "ApproximateCreationDateTime": ride.time.timestamp(),
        },
    }
