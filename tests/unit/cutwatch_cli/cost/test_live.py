"""The price of live detection, next to that of CloudWatch's alarm."""

import json
from dataclasses import replace
from pathlib import Path

from cutwatch_cli.cost.assumptions import Assumptions
from cutwatch_cli.cost.live import INTERVALS, live_costs
from cutwatch_cli.cost.prices import PRICES
from tests.support.builders import a_detector, a_ratio
from tests.support.command_line import cutwatch

DETECTOR = a_detector(engine="lambda", live=True)
ALARM = PRICES["anomaly_alarm"].each


def per_metric(*detectors: object, count: int = 1) -> dict[int, float]:
    costs = live_costs(list(detectors), count, PRICES, Assumptions())  # type: ignore[arg-type]
    return {each.minutes: each.per_metric for each in costs}


def test_at_five_minutes_a_metric_costs_a_third_of_the_alarm_at_most() -> None:
    found = per_metric(DETECTOR)
    assert found[5] <= 0.10
    assert found[5] <= ALARM / 3
    assert list(found) == list(INTERVALS)
    assert found[1] > ALARM


def test_a_thousand_detectors_with_their_stack_cost_a_third_of_their_alarms() -> None:
    five = next(
        each for each in live_costs([DETECTOR], 1_000, PRICES, Assumptions()) if each.minutes == 5
    )
    assert five.total <= 1_000 * ALARM / 3
    assert five.total == five.per_metric * 1_000 + sum(five.shared.values())


def test_every_metric_of_an_expression_is_read() -> None:
    ratio = a_ratio(engine="lambda", live=True)
    reading = 730 * 12 * PRICES["get_metric_data"].each
    assert abs(per_metric(ratio)[5] - per_metric(DETECTOR)[5] - reading) < 1e-9


def test_publishing_all_costs_two_custom_metrics() -> None:
    extra = per_metric(replace(DETECTOR, publish="all"))[15] - per_metric(DETECTOR)[15]
    assert abs(extra - 2 * PRICES["custom_metric"].each) < 1e-9


def test_the_command_compares_the_intervals(tmp_path: Path) -> None:
    path = tmp_path / "detectors.yaml"
    path.write_text(
        "detectors: [{name: a, namespace: Shop, metric: A, statistic: Sum, engine: lambda, live: true}]"
    )
    content = json.loads(cutwatch("cost", "--live", "--json", "--detectors", path).output)
    assert [each["minutes"] for each in content["live"]] == list(INTERVALS)
    assert content["cloudwatch_alarm"] == ALARM
    assert "5 min" in cutwatch("cost", "--live", "--detectors", path).output
