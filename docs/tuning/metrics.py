"""Write the metrics of docs/tuning.md as CSV files: python docs/tuning/metrics.py FOLDER."""

import csv
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

START = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday
PERIOD = timedelta(minutes=15)
DAY = timedelta(days=1) // PERIOD
DAYS = 8 * 7
ROWS = DAYS * DAY


def row(day: int, hour: float) -> int:
    """Return the row of an hour of a day."""
    return day * DAY + round(hour * DAY / 24)


def response_time(rng: np.random.Generator) -> Floats:
    """Return excursions by a third, every other day for an hour or two, and an afternoon twice as slow as usual."""
    values = 120 + 15 * _wave() + rng.normal(0, 6, ROWS)
    for day in range(1, DAYS, 2):
        begins = row(day, rng.uniform(0, 22))
        values[begins : begins + rng.integers(4, 9)] += rng.uniform(30, 45)
    values[row(44, 13) : row(44, 15)] += 130
    return values


def import_load(rng: np.random.Generator) -> Floats:
    """Return a job of an hour that begins at any time from 01:00 to 03:00, and an incident in the afternoon."""
    values = 20 + 5 * _wave() + rng.normal(0, 1, ROWS)
    for day in range(DAYS):
        begins = row(day, 1) + rng.integers(0, 9)
        values[begins : begins + 4] = rng.normal(85, 3, 4)
    values[row(40, 15) : row(40, 16)] = 70
    return values


def orders(rng: np.random.Generator) -> Floats:
    """Return counts with a gap where nothing was ordered: often at night, and for three hours of an afternoon."""
    counts = rng.poisson(np.maximum(14 + 16 * _wave(), 0.5)).astype(np.float64)
    counts[row(45, 13) : row(45, 16)] = 0
    counts[counts == 0] = np.nan
    return counts


def check_ins(rng: np.random.Generator) -> Floats:
    """Return data from 08:00 to 20:00 only, which ends at 15:00 on one day."""
    values = rng.normal(300, 15, ROWS)
    hours = np.arange(ROWS) % DAY * 24 / DAY
    values[(hours < 8) | (hours >= 20)] = np.nan
    values[row(46, 15) : row(46, 20)] = np.nan
    return values


def sign_ups(rng: np.random.Generator) -> Floats:
    """Return office hours in Berlin, where the clocks go forward on 29 March, and a Saturday like a workday."""
    local = [
        (START + number * PERIOD).astimezone(ZoneInfo("Europe/Berlin")) for number in range(ROWS)
    ]
    busy = np.array([9 <= at.hour < 17 and at.weekday() < 5 for at in local])
    saturday = row(47, 0)
    busy[saturday : saturday + DAY] = busy[saturday - DAY : saturday]
    return np.where(busy, 200, 60) * (1 + 0.04 * rng.normal(size=ROWS))


def queue_age(rng: np.random.Generator) -> Floats:
    """Return two backlogs, four hours apart."""
    values = 30 + 10 * _wave() + rng.normal(0, 2, ROWS)
    for hour in (9, 13):
        values[row(43, hour) : row(43, hour + 1)] = 160
    return values


METRICS: Mapping[str, Callable[[np.random.Generator], Floats]] = {
    "response-time": response_time,
    "import-load": import_load,
    "orders": orders,
    "check-ins": check_ins,
    "sign-ups": sign_ups,
    "queue-age": queue_age,
}


def _wave() -> Floats:
    """Return a daily pattern between -1 and 1, lowest at 03:00."""
    return -np.cos(2 * np.pi * (np.arange(ROWS) % DAY - row(0, 3)) / DAY)


def write(folder: Path) -> None:
    """Write every metric; a gap is an empty cell."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed, (name, metric) in enumerate(METRICS.items()):
        with (folder / f"{name}.csv").open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(("timestamp", "value"))
            for number, value in enumerate(metric(np.random.default_rng(seed))):
                shown = "" if np.isnan(value) else f"{value:.1f}"
                rows.writerow((f"{START + number * PERIOD:%Y-%m-%dT%H:%M:%SZ}", shown))


if __name__ == "__main__":
    parser = ArgumentParser(description="Write the metrics of docs/tuning.md as CSV files.")
    parser.add_argument(
        "folder", type=Path, help="where to write them; it is made if it is missing"
    )
    write(parser.parse_args().folder)
