"""A generated fleet of machines with planted incidents, as records of a stream."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from cutwatch.timeseries.arrays import Floats

START = datetime(2026, 11, 2, 6, tzinfo=UTC)
STEP = timedelta(seconds=15)
MACHINES = 8
_HISTORY, _LIVE = int(timedelta(hours=4) / STEP), int(timedelta(hours=2) / STEP)
# The load of a machine swings with its shift; pressure and temperature follow the load.
_SWING = timedelta(minutes=20) / STEP


@dataclass(frozen=True)
class PlantedIncident:
    """An incident of one machine: its kind in words, and its first and last record."""

    machine: int
    kind: str
    first: int
    last: int

    @property
    def key(self) -> str:
        """The machine's name, which is the records' key."""
        return machine_name(self.machine)

    @property
    def begin(self) -> datetime:
        """Time of the first record."""
        return START + self.first * STEP

    @property
    def end(self) -> datetime:
        """Time of the last record."""
        return START + self.last * STEP


PLANTED = (
    PlantedIncident(2, "pressure spike", 60, 64),
    PlantedIncident(6, "temperature jumps", 110, 150),
    PlantedIncident(0, "pressure falls: a leak", 175, 215),
    PlantedIncident(7, "pressure oscillates", 245, 275),
    PlantedIncident(4, "high pressure at low temperature, each usual alone", 320, 360),
    PlantedIncident(1, "both drift away", 385, 465),
)


def machine_name(number: int) -> str:
    """Return the name of a machine."""
    return f"press-{number + 1:02d}"


@dataclass(frozen=True)
class FleetRecord:
    """A record as its producer sends it at a time."""

    at: datetime
    key: str
    data: bytes


@dataclass(frozen=True)
class Fleet:
    """Records of four hours before `START`, and of two hours from then on, a list for each time at which machines send."""

    history: list[list[FleetRecord]]
    live: list[list[FleetRecord]]


def fleet(seed: int) -> Fleet:
    """Generate the records of the fleet."""
    source = np.random.default_rng(seed)
    measured = np.stack([_machine(number, source) for number in range(MACHINES)])
    times = range(-_HISTORY, _LIVE)
    every = [
        [
            _record(number, START + n * STEP, measured[number, n + _HISTORY])
            for number in range(MACHINES)
        ]
        for n in times
    ]
    return Fleet(every[:_HISTORY], every[_HISTORY:])


def _record(number: int, at: datetime, values: Floats) -> FleetRecord:
    pressure, temperature = values.round(3).tolist()
    document = {
        "machine": {"id": machine_name(number)},
        "measured_at": at.isoformat().replace("+00:00", "Z"),
        "pressure": pressure,
        "temperature": temperature,
    }
    return FleetRecord(at, machine_name(number), json.dumps(document).encode())


def _machine(number: int, source: np.random.Generator) -> Floats:
    """Return pressure (bar) and temperature (degrees Celsius) of a machine, (n, 2)."""
    phase = source.uniform(0, 2 * np.pi)
    load = np.sin(2 * np.pi * np.arange(_HISTORY + _LIVE) / _SWING + phase)
    noise = source.normal(0, 1, (len(load), 2)) * (0.08, 0.6)
    values = np.column_stack((6 + 1.2 * load, 70 + 9 * load)) + noise
    for planted in PLANTED:
        if planted.machine == number:
            rows = slice(_HISTORY + planted.first, _HISTORY + planted.last + 1)
            values[rows] = _planted(values[rows], noise[rows], planted.kind)
    return values


def _planted(usual: Floats, noise: Floats, kind: str) -> Floats:
    """Return the rows of an incident in place of the usual ones."""
    ramp = np.linspace(0, 1, len(usual))
    still, steady = np.zeros_like(ramp), np.ones_like(ramp)
    columns = {
        "pressure spike": (5 * steady, still),
        "temperature jumps": (still, 25 * steady),
        "pressure falls: a leak": (-4 * np.minimum(3 * ramp, 1), still),
        "pressure oscillates": (3 * (-steady) ** np.arange(len(usual)), still),
        "both drift away": (2.5 * ramp, 20 * ramp),
    }
    if kind in columns:
        return np.asarray(usual + np.column_stack(columns[kind]))
    return np.asarray(noise + np.array([7.0, 62.0]))
