"""Draw Widget: the answers that a dashboard shows."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest

from cutwatch.aws.limits import LAMBDA_PAYLOAD_MAX_BYTES
from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.detection.band import BandPoint, ExpectedBand
from cutwatch.detectors.detector import Detector
from cutwatch.errors import AccessDenied, Throttled
from cutwatch.registry.event_record import RecordedEvent
from cutwatch.timestamps import floor_to_period, format_timestamp
from tests.support.account import Account
from tests.support.builders import a_model
from tests.support.client_events import counted_calls
from tests.support.widgets import request

CHECKOUT = Detector("checkout", "Shop", "Orders", "Sum", {"Service": "<checkout>"})
PERIOD = timedelta(minutes=5)
SPIKE = 40


@dataclass
class Shop:
    """An hour ago checkout was published through; its metric is reported for six hours, with a spike."""

    account: Account
    now: datetime

    @property
    def start(self) -> datetime:
        return self.now - timedelta(hours=6)

    def ask(self, name: str | None = "checkout", **context: Any) -> str:
        start, end = context.pop("start", self.start), context.pop("end", self.now)
        answer = self.account.invoke("draw_widget", request(name, start, end, **context))
        assert isinstance(answer, str)
        return answer

    def moment(self, position: int) -> datetime:
        return self.start + position * PERIOD

    def record(self, name: str, *positions: int) -> None:
        events = [
            AnomalyEvent(
                f"{name}:{position}",
                format_timestamp(self.moment(position)),
                format_timestamp(self.moment(position + 2)),
                format_timestamp(self.moment(position)),
                3,
                4.5,
                value=900.0,
                expected=100.0,
                expected_low=90.0,
                expected_high=110.0,
            )
            for position in positions
        ]
        recorded = [RecordedEvent(name, event, "transform-1") for event in events]
        self.account.registry.events.record(recorded, self.now)


@pytest.fixture
def shop(account: Account) -> Shop:
    found = Shop(account, floor_to_period(datetime.now(UTC), 300))
    values = [900.0 if SPIKE <= n < SPIKE + 3 else 100.0 + n % 7 for n in range(72)]
    account.put_metric("Shop", "Orders", found.start, values, CHECKOUT.dimensions)
    anomalies = [float(SPIKE <= n < SPIKE + 3) for n in range(60)]
    of_checkout = {"Detector": "checkout"}
    account.put_metric(account.namespace, "Anomaly", found.start, anomalies, of_checkout)
    account.put_metric(account.namespace, "AnomalyScore", found.start, values[:60], of_checkout)
    publish(account, CHECKOUT, found.moment(60))
    found.record("checkout", SPIKE)
    return found


def publish(account: Account, detector: Detector, through: datetime) -> None:
    account.registry.detectors.advance(
        detector.name, through, "transform-1", None, None, None, detector.to_payload()
    )


def test_a_detector_s_metric_is_drawn_with_its_anomalies_and_its_events_are_listed(
    shop: Shop,
) -> None:
    drawn = shop.ask()
    assert drawn.count('class="anomaly"') == 1
    assert drawn.count('class="expected"') == 1
    assert "Shop Orders (Service=&lt;checkout&gt;), Sum of 5 min" in drawn
    assert "not scored yet" in drawn
    assert "● high" in drawn.replace('<span aria-hidden="true">', "").replace("</span>", "")
    assert "100 (90 to 110)" in drawn
    assert "https://us-east-1.console.aws.amazon.com/cloudwatch/home" in drawn


def test_few_calls_are_made(shop: Shop) -> None:
    with counted_calls("cloudwatch") as reads, counted_calls("dynamodb") as finds:
        shop.ask()
    assert reads == ["GetMetricData"]
    assert sorted(finds) == ["GetItem", "Query", "Query"]


def test_nothing_of_what_people_write_becomes_markup(shop: Shop) -> None:
    for hostile in ("<script>alert(1)</script>", '"><img src=x>', "' onload='x"):
        for answer in (shop.ask(hostile), shop.ask(None, widgetId=hostile)):
            assert "<script" not in answer
            assert "<img" not in answer
            assert "onload='" not in answer


def test_only_what_is_in_the_time_range_is_shown(shop: Shop) -> None:
    early = shop.ask(end=shop.moment(SPIKE - 5))
    assert 'class="anomaly"' not in early
    assert "No events from" in early
    zoomed = shop.ask(zoom=(shop.moment(SPIKE - 5), shop.moment(SPIKE + 5)))
    assert 'class="anomaly"' in zoomed
    assert "not scored yet" not in zoomed


def test_the_band_stays_where_several_periods_are_combined(shop: Shop) -> None:
    begin = floor_to_period(shop.start, 3_600)
    hours = tuple(
        BandPoint(int((begin + n * timedelta(hours=1)).timestamp()), 90, 100, 110) for n in range(6)
    )
    shop.account.registry.bands.record("checkout", ExpectedBand(3_600, hours), shop.now)

    drawn = shop.ask(start=shop.now - timedelta(days=60))

    assert "Sum of 10 min" in drawn
    assert drawn.count('class="band"') == drawn.count('class="expected-line"') == 1
    assert "band: 90 % range of 5 min, times 2, with the expected value" in drawn


def test_without_a_detector_every_detector_s_events_are_listed(shop: Shop) -> None:
    shop.record("orders", 10)
    drawn = shop.ask(None)
    assert "Events of all detectors" in drawn
    assert "<svg" not in drawn
    assert drawn.index(">checkout</a>") < drawn.index(">orders</a>")
    # Of orders it is not known what it watches: it was published by an older version.
    assert drawn.count("Graph in the CloudWatch console") == 1


def test_events_beyond_a_screenful_are_counted(shop: Shop) -> None:
    shop.record("orders", *range(0, 70, 2))
    answer = shop.ask(None)
    assert answer.count("details</a>") == 30
    assert "and 6 earlier events" in answer


def test_no_event_at_all_is_said(shop: Shop) -> None:
    assert "No events of any detector from" in shop.ask(None, end=shop.moment(1))


def test_a_detector_that_was_never_published_says_what_it_waits_for(shop: Shop) -> None:
    shop.account.registry.detectors.add_model("fresh", a_model())
    assert "nothing is published yet" in shop.ask("fresh")


def test_an_unknown_detector_is_told_with_the_nearest_name(shop: Shop) -> None:
    answer = shop.ask("chekcout")
    assert "No detector is named &#x27;chekcout&#x27;. Did you mean" in answer
    assert ">checkout</a>" in answer
    assert "See the names in detectors.yaml" in shop.ask("something-else-entirely")


def test_a_metric_without_datapoints_is_said(shop: Shop) -> None:
    publish(shop.account, Detector("quiet", "Shop", "Nothing", "Sum"), shop.now)
    assert "CloudWatch has no datapoints of Shop Nothing, Sum" in shop.ask("quiet")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            AccessDenied("GetMetricData", "AccessDenied", "not authorized"),
            "The widget&#x27;s role lacks a permission: GetMetricData: not authorized",
        ),
        (Throttled("GetMetricData", "Throttling", "slow down"), "Refresh the dashboard"),
    ],
)
def test_what_aws_refuses_is_told_in_the_widget(shop: Shop, error: Exception, told: str) -> None:
    with patch("cutwatch.widget.render.read_graph_data", side_effect=error):
        assert told in shop.ask()


def test_what_is_no_event_of_a_dashboard_is_told(account: Account) -> None:
    answer = account.invoke("draw_widget", {"detector": "checkout"})
    assert "widgetContext is None; expected an object" in answer


def test_documentation_is_given_when_it_is_asked_for(account: Account) -> None:
    answer = account.invoke("draw_widget", {"describe": True})
    assert answer.startswith("## ")
    assert '```yaml\ndetector: ""\n```' in answer


def test_the_answer_is_far_below_what_lambda_allows(shop: Shop) -> None:
    shop.record("checkout", *range(0, 70, 2))
    assert len(shop.ask(width=1600, height=900)) < LAMBDA_PAYLOAD_MAX_BYTES / 40


def test_light_and_dark_differ(shop: Shop) -> None:
    assert shop.ask(theme="dark") != shop.ask(theme="light")
