"""The pictures of docs/logs.md: the report of an hour of a generated log with three faults, and the demo in a terminal.

PYTHONPATH=functions:cli:. .venv/bin/python -m tests.support.log_pictures    # takes them again, with Apache Kafka in build/kafka
"""

from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from cutwatch.detectors.log_format import LogFormat
from cutwatch.detectors.stream import Stream
from cutwatch.reports.hour_page import to_html
from cutwatch.reports.hour_report import HourReport
from cutwatch.reports.trends import trends
from cutwatch.streams.key_bucket import KeyBucket
from cutwatch.streams.log_summary import summaries
from cutwatch.streams.log_training import train_stream
from cutwatch.streams.record import RawRecord
from cutwatch.streams.scoring import StreamScorer
from cutwatch.streams.trained_model import TrainedModel
from cutwatch_cli.access_logs.demo_log import shop_log
from cutwatch_cli.access_logs.faults import Fault
from cutwatch_cli.access_logs.kafka_demo import run_demo
from cutwatch_cli.access_logs.kafka_demo_presentation import present
from cutwatch_cli.access_logs.shop import Shop, json_line
from localaws.kafka.broker import KafkaBroker
from tests.support.chromium import chromium
from tests.support.project import PROJECT
from tests.support.screenshots import screen

PICTURE = PROJECT / "docs" / "images" / "hour-report.png"
MONDAY, HOUR, DAY = 1_780_272_000, 3_600, 86_400
SHOWN = MONDAY + 3 * DAY + 14 * HOUR
FAULTS = (
    Fault("slow path", SHOWN + 600, SHOWN + 1_500),
    Fault("error burst", SHOWN + 2_100, SHOWN + 2_500),
    Fault("path scan", SHOWN + 3_000, SHOWN + 3_250),
)
STREAM = Stream(
    "shop",
    "kafka:shop-access",
    log=LogFormat(
        time="timestamp",
        response_time="duration_ms",
        response_time_unit="milliseconds",
        level="level",
        method="request.method",
        path="request.path",
        status="status",
    ),
    model="one_class_svm",
)
_BATCH, _SIZE = 200, (1040, 1180)


def reports() -> dict[int, HourReport]:
    """The reports of the hour at 14:00 of four days; the first three days train."""
    shop = Shop(MONDAY, 3 * DAY + 15 * HOUR, busiest_rate=2.0, faults=FAULTS)
    events = [each.event for each in shop.requests()]
    training = [event for event in events if event.time < MONDAY + 3 * DAY]
    trained = TrainedModel.of(STREAM, train_stream(STREAM, training, share=1.0).fitted)
    found: dict[int, HourReport] = {}
    for day in range(4):
        begin = MONDAY + day * DAY + 14 * HOUR
        # Some minutes before the hour, so that the traffic of the last minute is known.
        hour = [event for event in events if begin - 120 <= event.time < begin + HOUR]
        lines = [(json_line(event), event.time + 0.5) for event in hour]
        found[begin] = _report(begin, lines, trained)
    return found


def _report(hour: int, lines: Sequence[tuple[str, float]], trained: TrainedModel) -> HourReport:
    report, scorer = HourReport(STREAM.name, hour), StreamScorer(STREAM, trained=trained)
    bucket = KeyBucket.empty(STREAM, 0)
    raw = [RawRecord(line.encode(), "shop-access-0", number, time) for number, (line, time) in enumerate(lines)]  # fmt: skip
    assert trained.features is not None
    for start in range(0, len(raw), _BATCH):
        before = {lane: position for lane, (position, _) in bucket.applied.items()}
        result = scorer.score(bucket, scorer.by_bucket(raw[start : start + _BATCH])[0])
        bucket.outbox.clear()
        for each in summaries(STREAM.name, "0", before, result.rows, result.events, (), (), trained.features):  # fmt: skip
            if each["hour"] == hour:
                report.add(each)
    return report


def take_picture() -> None:
    found = reports()
    before = [report for hour, report in found.items() if hour != SHOWN]
    with TemporaryDirectory() as folder, chromium() as browser:
        page = Path(folder) / "report.html"
        page.write_text(to_html(found[SHOWN], trends(found[SHOWN], before)))
        browser.resize(_SIZE)
        browser.open(page)
        browser.driver.save_screenshot(str(PICTURE))


def take_picture_of_demo() -> None:
    console = Console(record=True, file=StringIO(), width=150, highlight=False)
    console.print("[bold green]$[/] cutwatch demo --stream kafka")
    with KafkaBroker(PROJECT / "build" / "kafka") as broker:
        present(console, run_demo(shop_log(seed=7), broker, lambda *_: None))
    with TemporaryDirectory() as folder, chromium() as browser:
        screen(browser, console, Path(folder), "terminal-kafka-demo")


if __name__ == "__main__":
    take_picture()
    take_picture_of_demo()
