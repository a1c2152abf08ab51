"""The widget while CloudWatch does not show the scores of a weekly transform yet."""

import re
from datetime import timedelta

import pytest

from tests.support.fleet import fleet
from tests.support.widgets import CHECKOUT, HOUR, LAST_TRANSFORM, NOW, Dashboard, eventful


@pytest.mark.slow
def test_right_after_a_weekly_transform_the_widget_has_its_anomalies_and_says_that_scores_follow() -> (
    None
):
    with fleet([CHECKOUT]) as shop:
        shop.load(CHECKOUT, eventful())
        shop.train()
        shop.transform(LAST_TRANSFORM)
        shop.aws.clock.move_to(LAST_TRANSFORM + HOUR / 6)
        start = LAST_TRANSFORM - timedelta(days=7)
        first = Dashboard(shop).draw("checkout", start=start, end=NOW, height=480)
        shop.aws.clock.move_to(LAST_TRANSFORM + 49 * HOUR)
        later = Dashboard(shop).draw("checkout", start=start, end=NOW, height=480)

    assert len(re.findall('class="anomaly"', first)) == 3
    assert re.findall('<rect class="anomaly" x="[^"]*"', first) == re.findall(
        '<rect class="anomaly" x="[^"]*"', later
    )
    assert "The score series follows: CloudWatch shows scores within 48 hours" in first
    assert "expected by 2026-06-12 03:" in first
    assert "the dotted part follows" in first
    assert "The score series follows" not in later
    assert "dotted part" not in later
