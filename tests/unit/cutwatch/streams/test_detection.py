import math
from dataclasses import replace
from typing import Any

import pytest

from cutwatch.detectors.detector import MinimumDeviation
from cutwatch.detectors.exclusions import Exclusion
from cutwatch.detectors.record_format import RecordFormat
from cutwatch.detectors.stream import ForestSettings, IncidentBegin
from cutwatch.streams.decoding import LARGEST_VALUE
from cutwatch.streams.incidents import CALM_ROWS
from cutwatch.streams.key_bucket import KeyBucket
from cutwatch.streams.record import RawRecord
from cutwatch.streams.scoring import BatchResult
from tests.support.streams import (
    SMALL,
    START,
    a_record,
    a_stream,
    noise,
    records_of,
    score_records,
)

HALF_AN_HOUR = 1_800


def scored(records: list[RawRecord], **changes: Any) -> BatchResult:
    return score_records(a_stream(**changes), records)


def changes_of(values: list[float], step: float = 1.0, **changes: Any) -> list[tuple[str, int]]:
    """Return the kinds of changes, each with its incident's number of anomalous rows."""
    result = scored(records_of(values, step), **changes)
    return [(kind, incident.rows) for kind, incident, _ in result.changes]


def test_rows_have_score_0_until_the_sample_is_full() -> None:
    rows = scored(records_of(noise(100))).rows

    assert [row.learning for row in rows] == [True] * 40 + [False] * 60
    assert all((row.score == 0) == row.learning for row in rows)


def test_the_smallest_sample_is_scored_after_ten_rows() -> None:
    rows = scored(records_of(noise(60)), forest=ForestSettings(5, 10)).rows

    assert [row.score > 0 for row in rows] == [False] * 10 + [True] * 50
    assert {row.severity for row in rows[:42]} == {0.0}


def test_a_shingle_begins_to_learn_with_its_first_full_row() -> None:
    rows = scored(records_of(noise(100)), forest=ForestSettings(5, 40, shingle_size=4)).rows
    assert sum(row.learning for row in rows) == 43


def test_an_anomaly_among_the_learned_rows_is_not_an_incident() -> None:
    assert changes_of([*noise(39), 1e6]) == []


def test_an_incident_begins_grows_and_ends_half_an_hour_after_its_last_anomalous_row() -> None:
    values = [*noise(150), 12.0, *noise(3), 500.0, 5_000.0, *noise(200, seed=1)]
    result = scored(records_of(values, step=60))
    kinds = [change.kind for change in result.changes]
    began, ended = result.changes[0].incident, result.changes[-1].incident

    assert kinds[0] == "began"
    assert kinds[-1] == "ended"
    assert set(kinds[1:-1]) <= {"escalated"}
    assert began.begin_time == ended.begin_time == START + 150 * 60
    assert ended.severity > began.severity
    assert ended.last_time >= START + 155 * 60
    severities = [change.incident.severity for change in result.changes]
    assert severities == sorted(severities)
    assert {row.incident for row in result.rows} == {None, began.id}


def test_an_incident_escalates_once_per_word_of_severity() -> None:
    values = [*noise(300), *[10.0 * 2**n for n in range(20)]]
    result = scored(records_of(values), forest=ForestSettings(30, 64))
    words = [change.incident.severity_word for change in result.changes]

    assert [change.kind for change in result.changes] == ["began"] + ["escalated"] * (
        len(words) - 1
    )
    assert len(words) > 1
    assert words == [word for word in ("low", "medium", "high") if word in words]


def test_a_later_anomaly_is_another_incident() -> None:
    calm = [0.1 * value for value in noise(60)]
    near = [*noise(150), 500.0, *calm[:20], 900.0]
    far = [*noise(150), 500.0, *calm, 900.0]

    assert [kind for kind, _ in changes_of(near, step=60) if kind != "escalated"] == ["began"]
    assert [kind for kind, _ in changes_of(far, step=60) if kind != "escalated"] == ["began", "ended", "began"]  # fmt: skip


@pytest.mark.parametrize(("calm", "incidents"), [(0, 1), (CALM_ROWS - 1, 1), (CALM_ROWS, 2)])
def test_an_incident_of_a_slow_key_goes_on_for_a_few_normal_rows(calm: int, incidents: int) -> None:
    # The mean of the last 3 scores keeps the two rows after an anomaly anomalous.
    values = [*noise(150), 5e3, *[0.0] * (2 + calm), 5e6]
    rows = scored(records_of(values, step=2 * HALF_AN_HOUR)).rows[150:]

    assert [row.incident is None for row in rows] == [*[False] * 3, *[True] * calm, False]
    assert len({row.incident for row in rows if row.incident}) == incidents


@pytest.mark.parametrize(("seconds", "ended"), [(HALF_AN_HOUR, False), (HALF_AN_HOUR + 1, True)])
def test_an_incident_ends_with_a_normal_row_after_half_an_hour(seconds: int, ended: bool) -> None:
    records = records_of([*noise(150), 500.0, *noise(20, seed=1)])
    [began] = scored(records).changes
    last = max(row.time for row in scored(records).rows if row.incident == began.incident.id)
    result = scored([*records, a_record(500, at=last + seconds, x=0.0)])

    assert [change.kind for change in result.changes] == ["began"] + ["ended"] * ended


def test_an_incident_names_its_columns_with_the_expected_values_before_it() -> None:
    record = RecordFormat("at", {"x": "x", "y": "y"}, "id", time_format="seconds")
    usual = zip(noise(150), noise(150, seed=1), strict=True)
    rows = [*usual, (0.0, -50.0), (0.0, -60.0)]
    records = [a_record(n, x=x, y=y) for n, (x, y) in enumerate(rows)]
    result = scored(records, record=record)
    first, last = result.changes[0].incident, result.changes[-1].incident
    x, y = first.columns

    assert (x.column, y.column, y.value, y.direction) == ("x", "y", -50.0, "below")
    assert y.attribution > x.attribution
    assert x.attribution + y.attribution == pytest.approx(first.score)
    assert y.expected is not None
    assert y.expected.value == pytest.approx(0, abs=0.3)
    assert (y.expected.low, y.expected.high) == pytest.approx((-1.64, 1.64), abs=0.6)
    assert [column.expected for column in last.columns] == [x.expected, y.expected]


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, True),
        ({"direction": "above"}, True),
        ({"direction": "below"}, False),
        ({"minimum_deviation": MinimumDeviation(absolute=50)}, True),
        ({"minimum_deviation": MinimumDeviation(absolute=150)}, False),
        ({"minimum_deviation": MinimumDeviation(relative=0.5)}, True),
        ({"minimum_deviation": MinimumDeviation(relative=20)}, False),
        ({"exclude": (Exclusion("00:00", "23:59"),)}, False),
        ({"exclude": (Exclusion("2020-01-01", "2021-01-01"),)}, True),
    ],
    ids=repr,
)
def test_the_declaration_excludes_incidents(changes: dict[str, Any], found: bool) -> None:
    values = [10 + value for value in noise(150)] + [110.0]
    assert bool(changes_of(values, **changes)) == found


def test_a_constant_key_has_an_incident_when_its_value_changes() -> None:
    kinds = [kind for kind, _ in changes_of([5.0] * 500 + [5.1] * 3, forest=ForestSettings(30, 64))]
    assert kinds[0] == "began"


@pytest.mark.parametrize("value", [LARGEST_VALUE, -LARGEST_VALUE, 5e-324])
def test_the_largest_and_smallest_values_are_scored_and_learned(value: float) -> None:
    rows = scored(records_of([*noise(100), *[value] * 60, *noise(60)])).rows
    assert all(0 < row.score < math.inf and math.isfinite(row.severity) for row in rows[40:])


def test_a_higher_sensitivity_lowers_the_cutoff_and_leaves_the_scores() -> None:
    records = records_of([*noise(150), 8.0])
    last = {
        sensitivity: scored(records, sensitivity=sensitivity).rows[-1]
        for sensitivity in ("low", "medium", "high")
    }
    assert last["low"].severity < last["medium"].severity < last["high"].severity
    assert len({row.score for row in last.values()}) == 1


def test_directionality_attributes_every_scored_row() -> None:
    directed = scored(records_of(noise(100)), forest=replace(SMALL, directionality=True)).rows
    plain = scored(records_of(noise(100))).rows

    assert all((row.attribution is None) == row.learning for row in directed)
    assert all(row.attribution is None for row in plain if row.incident is None)
    assert [row.score for row in directed] == [row.score for row in plain]


def test_the_id_of_an_incident_comes_from_stream_key_and_record() -> None:
    values = [*noise(150), 500.0]
    [first] = scored(records_of(values)).changes
    [again] = scored(records_of(values)).changes
    [other_key] = scored(records_of(values, id="b")).changes
    [other_stream] = scored(records_of(values), name="others").changes

    assert first.incident.id == again.incident.id
    assert first.incident.id.startswith("sensors:")
    assert len({each.incident.id for each in (first, other_key, other_stream)}) == 3


# Anomalous rows at 150, 151 and 160, in minutes.
THREE = [*noise(150), 500.0, 5_000.0, *noise(8), 50_000.0, *noise(20, seed=1)]


def begins(rule: IncidentBegin, step: float = 60) -> list[float]:
    """Return the numbers of the rows that begin an incident."""
    result = scored(records_of(THREE, step), notify=rule)
    return [(each.incident.begin_time - START) / step for each in result.changes if each.kind == "began"]  # fmt: skip


def test_an_incident_begins_with_the_first_anomalous_row_by_default() -> None:
    assert begins(IncidentBegin()) == [150]


def test_an_incident_begins_with_the_row_that_completes_the_declared_number() -> None:
    severities = [row.severity for row in scored(records_of(THREE, 60)).rows]
    [_, second, third, *_] = [n for n, severity in enumerate(severities) if severity >= 1.5]

    assert begins(IncidentBegin(2, severity=1.5)) == [second]
    assert begins(IncidentBegin(3, within=3_600, severity=1.5)) == [third]


def test_rows_that_are_too_far_apart_or_too_slight_do_not_begin_an_incident() -> None:
    assert begins(IncidentBegin(2, within=60)) == []
    assert begins(IncidentBegin(severity=500)) == []
    assert begins(IncidentBegin(score=500)) == []


def test_rows_of_an_incident_do_not_count_towards_the_next_one() -> None:
    values = [*noise(150), 500.0, 5_000.0, *noise(60, seed=1), 1e6, 1e9, *noise(20, seed=2)]
    rule = IncidentBegin(2, within=86_400, severity=1.5)
    changes = scored(records_of(values, 60), notify=rule).changes
    begins = [(each.incident.begin_time - START) / 60 for each in changes if each.kind == "began"]

    assert [each.kind for each in changes].count("ended") == 1
    assert begins == [151, 213]


def test_an_incident_continues_until_no_row_was_anomalous_for_the_declared_time() -> None:
    values = [*noise(150), 500.0, 5_000.0, *noise(60, seed=1), 1e6, 1e9, *noise(20, seed=2)]
    for seconds, kinds in ((1_800, ["began", "ended", "began"]), (7_200, ["began"])):
        rule = IncidentBegin(severity=1.5, ends_after=seconds)
        changes = scored(records_of(values, 60), notify=rule).changes
        assert [each.kind for each in changes if each.kind != "escalated"] == kinds


def test_a_sudden_step_of_a_smooth_key_is_an_incident_at_once() -> None:
    smooth = [100 * math.sin(number / 40) for number in range(400)]
    shifted = [*smooth, smooth[-1] + 40, *(smooth[-1] + 40 + number for number in range(3))]
    result = scored(records_of(shifted, 60), forest=ForestSettings(5, 40))
    assert result.rows[400].severity >= 1
    assert max(row.severity for row in result.rows[256:400]) < 1


def test_a_score_may_be_required() -> None:
    rows = scored(records_of(THREE, 60)).rows
    highest = max(range(len(rows)), key=lambda n: rows[n].score)
    assert begins(IncidentBegin(score=rows[highest].score)) == [highest]


def test_an_incident_that_has_begun_continues_with_every_anomalous_row() -> None:
    rule = IncidentBegin(2, severity=1.5)
    [ended] = [each.incident for each in scored(records_of([*THREE, *noise(60)], 60), notify=rule).changes if each.kind == "ended"]  # fmt: skip
    rows = scored(records_of(THREE, 60)).rows
    later = [row for row in rows if row.time >= ended.begin_time and row.severity >= 1]
    assert ended.rows >= len(later) > 1


def test_rows_that_count_are_part_of_the_state() -> None:
    stream = a_stream(notify=IncidentBegin(2, severity=1.5))
    records, bucket, changes = records_of(THREE, 60), KeyBucket.empty(stream, 0), []
    for record in records:
        changes += score_records(stream, [record], bucket).changes
        bucket = KeyBucket.from_bytes(bucket.to_bytes(stream), stream)
    assert changes == scored(records, notify=stream.notify).changes != []
