"""Colours of charts on light and dark backgrounds: safe for colour blindness, and legible."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Palette:
    """CSS colours. `text` and `quiet` have a contrast of at least 4.5 to 1 on the background.

    `reference` marks known values: the expected value, or planted anomalies.
    """

    text: str
    quiet: str
    grid: str
    metric: str
    anomaly: str
    reference: str
    score: str
    link: str
    badge_text: str


LIGHT = Palette(
    text="#16191f",
    quiet="#545b64",
    grid="#e1e4e8",
    metric="#0067a3",
    anomaly="#b84a00",
    reference="#00704f",
    score="#5b6b7b",
    link="#0058ad",
    badge_text="#ffffff",
)
DARK = Palette(
    text="#e9ebed",
    quiet="#a8b3c0",
    grid="#354150",
    metric="#56b4e9",
    anomaly="#ff9d4d",
    reference="#4fd0a5",
    score="#93a1b0",
    link="#7cc4ff",
    badge_text="#16191f",
)


def palette(*, dark: bool) -> Palette:
    """Return the palette of the dashboard's theme."""
    return DARK if dark else LIGHT
