"""What live detectors take: processor time, calls, dollars; and that they find what a causal backtest finds.

PYTHONPATH=functions:cli:. .venv/bin/python benchmarks/live.py                               # one bucket of detectors
PYTHONPATH=functions:cli:. .venv/bin/python benchmarks/live.py --delay                       # of a run, by part
PYTHONPATH=functions:cli:. .venv/bin/python benchmarks/live.py --equal NAB/data KPI/data     # against `--causal`
"""

import argparse
import os
import random
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from cutwatch.detectors.detector import Detector
from cutwatch_cli.backtest.simulation import default_training_time
from cutwatch_cli.csv_files.csv_series import read_csv
from cutwatch_cli.replay.demo_data import active_users
from tests.support.builders import a_detector
from tests.support.live_account import LiveAccount
from tests.support.live_backtest import LiveRuns, windows_of

PERIOD = timedelta(minutes=5)
RUNS_AN_HOUR = 12
# A detector's window is half a week old on average.
AGE = timedelta(days=3.5)


def measure(detectors: int, runs: int) -> None:
    """Print what a bucket of live detectors at five minutes takes in an hour, warm and cold."""
    series = active_users().series
    detector = a_detector(engine="lambda", live=True)
    _, windows = windows_of(series, detector, timedelta(weeks=5))
    calls: Counter[str] = Counter()
    account = LiveAccount(windows[0], detector, lambda call: calls.update([call]))
    [planned] = account.planned
    account.planned = [
        replace(planned, detector=replace(detector, name=f"orders-{number}"))
        for number in range(detectors)
    ]
    account.run(account.start + AGE)
    account.run(account.start + AGE + timedelta(minutes=2))
    account.run(account.start + AGE + PERIOD)
    calls.clear()
    started = time.process_time()
    for number in range(1, runs + 1):
        account.run(account.start + AGE + (number + 1) * PERIOD + timedelta(minutes=2))
    warm = (time.process_time() - started) / runs
    done = {name: count / runs for name, count in sorted(calls.items()) if name.endswith("before")}
    account.environment()
    started = time.process_time()
    account.run(account.start + AGE + (runs + 2) * PERIOD + timedelta(minutes=2))
    cold = time.process_time() - started
    size = len(account.objects.objects["live/state/0000"][0])
    each = 1_000 / detectors
    print(f"load {os.getloadavg()[0]:.0f}")
    print(f"{detectors} detectors, {runs} runs at {PERIOD}")
    print(f"warm run: {warm / detectors * 1e3:.1f} ms of processor a detector")
    print(f"cold run: {cold / detectors * 1e3:.1f} ms of processor a detector")
    print(f"1,000 detectors: {warm * each * RUNS_AN_HOUR:.0f} s of processor an hour")
    print(f"state of a bucket: {size / 1024:.0f} KB; calls a run: {done}")


def delay() -> None:
    """Print the processor time of a run in which an incident begins, by part."""
    detector = a_detector(engine="lambda", live=True)
    events, windows = windows_of(active_users().series, detector, timedelta(weeks=5))
    window = next(each for each in windows if each.window.start <= events[0].begins.timestamp())
    times: list[tuple[str, float]] = []
    account = LiveAccount(
        window, detector, lambda call: times.append((call, time.process_time() * 1e3))
    )
    now = events[0].begins - PERIOD + timedelta(minutes=2)
    while not account.destinations.mails:
        times.clear()
        started = time.process_time() * 1e3
        account.run(now)
        now += PERIOD
    ends = dict(times)
    marks = [
        ("state and datapoints read", ends["cloudwatch read after"]),
        ("scored", ends["s3 write before"]),
        ("committed", ends["s3 write after"]),
        ("notified", ends["events put after"]),
    ]
    for name, at in marks:
        print(f"{name}: {at - started:.1f} ms of processor")
        started = at
    after = (account.destinations.events[0]["start"], events[0].start)
    print(f"the incident began at {after[0]}, in a causal backtest at {after[1]}")


def compare(paths: list[Path], seed: int) -> None:
    """Score the windows of every file live, cut at random, and compare scores and events with a causal backtest."""
    chance = random.Random(seed)
    files = events = datapoints = different = 0
    for path in sorted(each for folder in paths for each in folder.rglob("*.csv")):
        metric = read_csv(path)
        detector = Detector(
            name="metric",
            namespace="Files",
            metric=path.stem,
            statistic="Average",
            period=metric.period_seconds,
            engine="lambda",
            live=True,
        )
        expected, windows = windows_of(metric, detector, default_training_time(metric))
        live = LiveRuns(detector)
        ended: dict[str, str] = {}
        for window in windows:
            size = len(window.window.observed) - window.first
            cuts = sorted(chance.sample(range(1, size), min(3, size - 1))) if size > 1 else []
            series, evaluation = live.score(window, cuts)
            ended |= {event.id: event.end for event in evaluation.events}
            same = np.array_equal(series.scores, window.window.scores)
            different += not same
            datapoints += size
        different += ended != {event.id: event.end for event in expected}
        files, events = files + 1, events + len(expected)
    print(
        f"{files} files, {datapoints} datapoints, {events} incidents: {different} differences, {datetime.now(UTC):%Y-%m-%d}"
    )


def main() -> None:
    """Measure, or compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--detectors", type=int, default=250)
    parser.add_argument("--runs", type=int, default=12)
    parser.add_argument("--delay", action="store_true")
    parser.add_argument("--equal", nargs="+", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.delay:
        delay()
    elif arguments.equal:
        compare(arguments.equal, arguments.seed)
    else:
        measure(arguments.detectors, arguments.runs)


if __name__ == "__main__":
    main()
