"""The metric of the demo: the active users of a video platform, with planted anomalies."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from cutwatch.timeseries.arrays import Floats
from cutwatch_cli.csv_files.regular_grid import MetricSeries

PERIOD = timedelta(minutes=5)
DAY, WEEK = timedelta(days=1) // PERIOD, timedelta(weeks=1) // PERIOD
WEEKS = 9
FIRST_MONDAY = datetime(2026, 3, 2, tzinfo=UTC)

USERS_AT_PEAK = 84_000
WEEKLY_GROWTH = 0.006
DAILY_NOISE = 0.025  # no two Tuesdays are alike
SLOW_NOISE = 0.014  # audiences wander for an hour or two
FAST_NOISE = 0.007  # at the peak; a small audience is relatively noisier

# The audience at the full hours from midnight on, in percent of the weekly peak.
WORKDAY = (
    *(45, 31, 23, 18, 16, 17, 21, 27, 33, 37, 40, 43),
    *(48, 49, 47, 48, 53, 61, 72, 84, 94, 97, 88, 68),
)
WEEKEND = (
    *(52, 39, 29, 22, 18, 17, 19, 24, 32, 42, 52, 59),
    *(64, 67, 69, 71, 74, 78, 84, 92, 99, 100, 91, 71),
)
WEEKDAYS = (0.95, 0.94, 0.96, 0.97, 1.0, 1.02, 1.0)


@dataclass(frozen=True)
class PlantedAnomaly:
    """A planted anomaly in [start, end)."""

    kind: str
    start: datetime
    end: datetime
    description: str


@dataclass(frozen=True)
class DemoData:
    """A metric and its known anomalies."""

    series: MetricSeries
    planted: list[PlantedAnomaly]


def active_users(seed: int = 7, first_monday: datetime = FIRST_MONDAY) -> DemoData:
    """Generate nine weeks at five minutes, the first two without anomalies; the same seed gives the same data."""
    random = np.random.default_rng(seed)
    weeks = np.arange(WEEKS * WEEK) / WEEK
    users = np.tile(_usual_week(), WEEKS) * (1 + WEEKLY_GROWTH * weeks)
    users *= _noise(random, users)
    for incident in INCIDENTS:
        incident.spoil(users)
    series = MetricSeries(int(PERIOD.total_seconds()), first_monday, users.round().tolist())
    return DemoData(series, [incident.planted(first_monday) for incident in INCIDENTS])


def _usual_week() -> Floats:
    days = zip([WORKDAY] * 5 + [WEEKEND] * 2, WEEKDAYS, strict=True)
    percent = np.concatenate([np.multiply(day, level) for day, level in days])
    hours = np.linspace(0, percent.size, WEEK, endpoint=False)
    users = np.interp(hours, np.arange(percent.size), percent, period=percent.size)
    return USERS_AT_PEAK / 100 * _rounded_off(users)


def _rounded_off(users: Floats) -> Floats:
    window = np.hanning(timedelta(hours=2) // PERIOD + 1)
    around = np.pad(users, window.size // 2, mode="wrap")
    return np.convolve(around, window / window.sum(), mode="valid")


def _noise(random: np.random.Generator, users: Floats) -> Floats:
    days = random.normal(0, DAILY_NOISE, users.size // DAY + 1)
    daily = np.interp(np.arange(users.size) / DAY, np.arange(days.size), days)
    memory = np.exp(-np.arange(4 * DAY // 24) / (DAY / 24))
    innovations = random.normal(0, SLOW_NOISE, users.size + memory.size - 1)
    slow = np.convolve(innovations, memory / np.linalg.norm(memory), mode="valid")
    fast = random.normal(0, FAST_NOISE, users.size) * np.sqrt(USERS_AT_PEAK / users)
    return 1 + daily + slow + fast


def _spike(users: Floats) -> None:
    users *= 1 + 0.6 * _burst(users.size, rise=3)


def _night_surge(users: Floats) -> None:
    users *= 1 + 2.2 * _burst(users.size, rise=2)


def _dip(users: Floats) -> None:
    users *= 1 - 0.93 * _plateau(users.size, edge=3)


def _outage(users: Floats) -> None:
    """Drop the audience, report nothing for a while, then bring the audience back at once."""
    leaving, returning = timedelta(minutes=20) // PERIOD, timedelta(minutes=45) // PERIOD
    users[:leaving] *= np.linspace(0.75, 0.12, leaving)
    users[leaving:-returning] = np.nan
    users[-returning:] *= np.linspace(0.35, 1.08, returning)


def _missing_evening(users: Floats) -> None:
    """Hold the afternoon's level until the late evening falls below it."""
    afternoon = users[0]
    users[:] = np.minimum(users, afternoon * users / _rounded_off(users))


def _level_shift(users: Floats) -> None:
    users *= 1 + 0.4 * _plateau(users.size, edge=2)


def _burst(size: int, rise: int) -> Floats:
    since_peak = np.arange(size) - rise
    rising, fading = 1 + since_peak / (rise + 1), np.exp(-4 * since_peak / size)
    return np.where(since_peak < 0, rising, fading)


def _plateau(size: int, edge: int) -> Floats:
    from_edge = np.minimum(np.arange(size), np.arange(size)[::-1]) + 1
    return np.minimum(from_edge / edge, 1.0)


@dataclass(frozen=True)
class _Incident:
    kind: str
    begins: timedelta
    lasts: timedelta
    description: str
    shape: Callable[[Floats], None]

    def spoil(self, users: Floats) -> None:
        first = self.begins // PERIOD
        self.shape(users[first : first + self.lasts // PERIOD])

    def planted(self, first_monday: datetime) -> PlantedAnomaly:
        start = first_monday + self.begins
        return PlantedAnomaly(self.kind, start, start + self.lasts, self.description)


def _after(weeks: int, days: int, hours: int, minutes: int = 0) -> timedelta:
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes)


INCIDENTS = (
    _Incident(
        "spike",
        _after(2, 5, 20, 40),
        timedelta(minutes=50),
        "A cup final goes into extra time and attracts a large audience.",
        _spike,
    ),
    _Incident(
        "dip",
        _after(3, 2, 19, 10),
        timedelta(minutes=55),
        "Sign-in rejects almost all users.",
        _dip,
    ),
    _Incident(
        "outage",
        _after(4, 6, 10, 20),
        timedelta(hours=4, minutes=30),
        "The region fails; nothing is reported for more than three hours.",
        _outage,
    ),
    _Incident(
        "broken daily pattern",
        _after(5, 3, 16, 30),
        timedelta(hours=7),
        "The home page stays empty and the evening peak does not come.",
        _missing_evening,
    ),
    _Incident(
        "night surge",
        _after(7, 1, 3, 20),
        timedelta(minutes=75),
        "A push message meant for noon wakes people at night.",
        _night_surge,
    ),
    _Incident(
        "level shift",
        _after(8, 1, 9),
        timedelta(hours=32),
        "Scrapers are counted as users.",
        _level_shift,
    ),
)
