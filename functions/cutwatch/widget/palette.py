"""Colours of pictures on light and on dark dashboards; colour-blind people can tell them apart, and all text is legible."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Palette:
    """CSS colours. `text` and `quiet` have a contrast of at least 4.5 to 1 on the dashboard's background."""

    text: str
    quiet: str
    grid: str
    metric: str
    anomaly: str
    expected: str
    score: str
    link: str
    badge_text: str


LIGHT = Palette(
    text="#16191f",
    quiet="#545b64",
    grid="#e1e4e8",
    metric="#0067a3",
    anomaly="#b84a00",
    expected="#00704f",
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
    expected="#4fd0a5",
    score="#93a1b0",
    link="#7cc4ff",
    badge_text="#16191f",
)


def palette(*, dark: bool) -> Palette:
    """That of the dashboard's theme."""
    return DARK if dark else LIGHT
