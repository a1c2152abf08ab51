"""Whether a transform trains a detector first, and the reason that it gives."""

from datetime import timedelta

import pytest

from cutwatch.registry.detector_record import DetectorRecord
from cutwatch.timestamps import parse_timestamp
from tests.support.builders import a_detector, a_model

FIRST = parse_timestamp("2026-09-01T00:00:00Z")


def why(known_days: int, days_now: int | None, history_days: int = 30) -> str | None:
    """Of a model that knows the metric's first days, on a later day."""
    detector = a_detector(history_days=history_days)
    model = a_model(
        "young",
        detector,
        trained_from="2026-09-01T00:00:00Z",
        trained_through=f"{FIRST + timedelta(days=known_days):%Y-%m-%dT%H:%M:%SZ}",
    )
    now = None if days_now is None else FIRST + timedelta(days=days_now)
    return DetectorRecord("orders", (model,), now).why_train(detector)


def test_a_model_is_trained_anew_when_the_history_of_a_young_metric_has_doubled() -> None:
    assert why(known_days=5, days_now=9) is None
    assert why(known_days=5, days_now=10) == (
        "model young knows the metric from 2026-09-01T00:00:00Z to 2026-09-06T00:00:00Z, "
        "and its history has doubled since"
    )


@pytest.mark.parametrize(("known_days", "days_now"), [(16, 60), (30, 90), (5, None)])
def test_a_model_with_half_of_the_longest_history_or_nothing_published_is_kept(
    known_days: int, days_now: int | None
) -> None:
    assert why(known_days, days_now) is None


def test_a_model_whose_beginning_is_not_known_is_kept() -> None:
    record = DetectorRecord("orders", (a_model(),), FIRST + timedelta(days=90))
    assert record.why_train(a_detector()) is None
