"""A metric whose evening does not come, scored live: the incident begins, becomes more severe, and is over."""

from datetime import datetime, timedelta

from cutwatch_cli.csv_files.regular_grid import MetricSeries
from cutwatch_cli.replay.demo_data import active_users
from tests.support.builders import a_detector
from tests.support.live_backtest import windows_of

HOUR = timedelta(hours=1)
DEMO = active_users().series
# The demo's metric every hour, from its fourth week on: the second window has the evening that does not come.
HOURLY = MetricSeries(3_600, DEMO.start, DEMO.values[3 * 2016 :: 12][: 5 * 168])
DETECTOR = a_detector(period=3_600, engine="lambda", live=True)
EVENTS, WINDOWS = windows_of(HOURLY, DETECTOR, timedelta(weeks=2))
WINDOW, EVENT = next(
    (window, event)
    for event in EVENTS
    for window in WINDOWS
    if window.window.start <= event.begins.timestamp() < window.window.epochs[-1]
)
LAST = EVENT.ends + 4 * HOUR


def after_hours(*hours: int) -> list[datetime]:
    """Return when runs see datapoints that end so many hours after the incident begins."""
    return [EVENT.begins + hour * HOUR + timedelta(minutes=2) for hour in hours]


TIMES = [time for time in after_hours(*range(-3, 9)) if time < LAST]
TIMES.append(LAST + timedelta(minutes=2))
