from datetime import timedelta

from cutwatch.publishing.freshness import Overdue, freshness_datums
from cutwatch.registry.detector_record import DetectorRecord
from tests.support.builders import NOON, a_model

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
# Its model was trained a day and nine hours before NOON.
ORDERS = DetectorRecord("orders", models=(a_model(),), published_through=NOON - 5 * HOUR)


def ages(*records: DetectorRecord, last: timedelta = HOUR) -> dict[tuple[str, str], float]:
    known = {record.name: record for record in records}
    datums = freshness_datums(known, NOON - last, Overdue(30, 12), NOON)
    assert {each["Timestamp"] for each in datums} == {NOON}
    return {
        (each["MetricName"], each["Dimensions"][0]["Value"] if each["Dimensions"] else ""): each["Value"]
        for each in datums
    }  # fmt: skip


def test_the_totals_have_the_oldest_and_what_is_overdue_is_named() -> None:
    older = DetectorRecord("visits", (a_model(scheduled_time="2026-10-01T12:00:00Z"),), NOON - DAY)

    assert ages(ORDERS, older, last=6 * HOUR) == {
        ("HoursSinceTransform", ""): 6,
        ("ModelAgeDays", ""): 32,
        ("ModelAgeDays", "visits"): 32,
        ("HoursSinceTransform", "visits"): 24,
    }


def test_the_newest_model_counts() -> None:
    models = (a_model(), a_model(scheduled_time="2026-10-01T12:00:00Z"))
    assert ages(DetectorRecord("orders", models))["ModelAgeDays", ""] == 1.375


def test_a_stack_without_detectors_has_an_age_of_its_last_transform_all_the_same() -> None:
    assert ages(last=200 * HOUR) == {("HoursSinceTransform", ""): 200}


def test_a_detector_without_a_model_has_none_of_its_age() -> None:
    assert set(ages(DetectorRecord("new"))) == {("HoursSinceTransform", "")}
