"""The columns of an anomalous row: what was expected of them, and whether they deviate far enough."""

from collections.abc import Sequence

from cutwatch.detectors.detector import Direction
from cutwatch.detectors.stream import Stream
from cutwatch.streams.expectation import Expected
from cutwatch.streams.forest import Attribution
from cutwatch.streams.incidents import ColumnFinding, Incident
from cutwatch.streams.key_state import KeyState


def findings(
    names: Sequence[str],
    values: Sequence[float],
    attributions: Sequence[Attribution],
    before: Incident | None,
    state: KeyState,
) -> tuple[ColumnFinding, ...]:
    """Return the columns of an anomalous row; an incident keeps the expected values that it began with."""
    expected = expected_values(state, before)
    return tuple(
        ColumnFinding(name, value, attribution.score, _direction(value, attribution, known), known)
        for name, value, attribution, known in zip(
            names, values, attributions, expected, strict=True
        )
    )


def expected_values(state: KeyState, incident: Incident | None) -> tuple[Expected | None, ...]:
    """Return the columns' expected values: those of the incident, else of this time, if the key has a profile, else of its latest rows."""
    if incident is not None:
        return tuple(each.expected for each in incident.columns)
    known = state.features.expected() if state.features is not None else None
    return tuple(known or state.recent.expected())


def _direction(value: float, attribution: Attribution, expected: Expected | None) -> Direction:
    """Return the side of the expected value; without one, that of the attribution."""
    if expected is None or value == expected.value:
        return attribution.direction
    return "above" if value > expected.value else "below"


def is_worth_raising(leading: ColumnFinding, stream: Stream) -> bool:
    """Return True if the column with the largest attribution is on the declared side and deviates far enough."""
    if stream.direction not in ("both", leading.direction):
        return False
    if leading.expected is None:
        return True
    amount, minimum = abs(leading.value - leading.expected.value), stream.minimum_deviation
    relative = (minimum.relative or 0.0) * abs(leading.expected.value)
    return amount >= max(minimum.absolute or 0.0, relative)
