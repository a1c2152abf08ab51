"""The dashboard's custom widget, asked as CloudWatch asks it, of a fleet with an eventful fortnight on the local AWS."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from tests.support.fleet import FIRST_TRANSFORM, START, Fleet, detector, fleet, usual
from tests.support.sample_events import sample

# The dip of the picture lasts for a few of them.
PERIOD = 300
CHECKOUT = replace(
    detector("checkout", engine="lambda", period=PERIOD, missing_data="anomalous"),
    namespace="Shop",
    metric="OrdersPerMinute",
    dimensions={"Service": "checkout"},
)
SEARCHES = detector("searches", engine="lambda", period=PERIOD)
HOUR = timedelta(hours=1)
# Half a day after the last transform: what came since is not scored yet.
NOW = FIRST_TRANSFORM + timedelta(days=2, hours=12)
LAST_TRANSFORM = FIRST_TRANSFORM + timedelta(days=2)


@dataclass(frozen=True)
class Dashboard:
    """A dashboard's custom widget, as somebody looks at it at `NOW`."""

    shop: Fleet

    def ask(self, event: Mapping[str, Any]) -> Any:
        """What the deployed function answers."""
        answer = self.shop.aws.client("lambda").invoke(
            FunctionName=self.shop.stack.resources["DrawWidget"], Payload=json.dumps(event)
        )
        payload = answer["Payload"].read()
        assert "FunctionError" not in answer, payload
        return json.loads(payload)

    def draw(
        self,
        name: str | None,
        start: datetime = LAST_TRANSFORM - timedelta(days=3),
        end: datetime = NOW,
        **context: Any,
    ) -> str:
        """The widget's HTML for a detector in a time range."""
        return str(self.ask(request(name, start, end, **context)))


def request(
    name: str | None, start: datetime, end: datetime, zoom: Any = None, **context: Any
) -> dict[str, Any]:
    """As CloudWatch sends it; what is not given is that of the sample event."""
    event = sample("draw_widget")
    given = {"detector": name} if name is not None else {}
    time_range = {"mode": "absolute", "start": milliseconds(start), "end": milliseconds(end)}
    if zoom:
        time_range["zoom"] = dict(zip(("start", "end"), map(milliseconds, zoom), strict=True))
    usual_context = event["widgetContext"] | {"timeRange": time_range, "params": given}
    return {**given, "widgetContext": usual_context | context}


def milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def eventful() -> np.ndarray[Any, Any]:
    """A surge, a short dip, and an hour without any data."""
    values = usual(period=PERIOD)
    _set(values, LAST_TRANSFORM - 50 * HOUR, 2 * HOUR, 310)
    _set(values, LAST_TRANSFORM - 20 * HOUR, 20 * HOUR / 60, 8)
    _set(values, LAST_TRANSFORM - 9 * HOUR, HOUR, np.nan)
    return values


def _set(values: np.ndarray[Any, Any], at: datetime, lasting: timedelta, value: float) -> None:
    first = int((at - START).total_seconds()) // PERIOD
    values[first : first + int(lasting.total_seconds()) // PERIOD] = value


@contextmanager
def eventful_dashboard() -> Iterator[Dashboard]:
    """Two detectors, transformed three times, their models' age looked at once."""
    overdue = {"ModelOverdueDays": "2", "TransformOverdueHours": "2"}
    with fleet([CHECKOUT, SEARCHES], **overdue) as shop:
        shop.load(CHECKOUT, eventful())
        shop.load(SEARCHES, usual(seed=2, period=PERIOD))
        shop.train()
        for day in range(3):
            shop.transform(FIRST_TRANSFORM + timedelta(days=day))
        shop.check_freshness(LAST_TRANSFORM + 3 * HOUR)
        shop.aws.clock.move_to(NOW)
        yield Dashboard(shop)


def page(drawn: str, width: int, theme: str) -> str:
    """The widget in a page as the console frames it: its background, its font, its styles of tables and links."""
    background, text, line = {
        "light": ("#ffffff", "#16191f", "#eaeded"),
        "dark": ("#161d26", "#d5dbdb", "#414d5c"),
    }[theme]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Dashboard</title><style>'
        f"body{{margin:0;background:{background};color:{text};"
        "font:14px/22px 'Amazon Ember','Helvetica Neue',Roboto,Arial,sans-serif}"
        f".widget{{width:{width}px;padding:0}}"
        f"table{{border:1px solid {line};box-shadow:0 1px 1px rgba(0,28,36,.3)}}"
        f"th,td{{padding:4px 10px;border-bottom:1px solid {line}}}"
        ".btn{display:inline-block;border:1px solid;border-radius:2px;padding:2px 12px;font-weight:700}"
        "cwdb-action{display:none}"
        f'</style></head><body><div class="widget">{drawn}</div></body></html>'
    )
