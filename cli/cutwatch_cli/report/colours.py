"""The page's colours on light, dark and paper: blue, vermilion and green that colour-blind people can tell apart."""

from collections.abc import Mapping

Palette = Mapping[str, str]

LIGHT: Palette = {
    "page": "#ffffff",
    "panel": "#f6f8fa",
    "line": "#d0d7de",
    "text": "#1f2933",
    "quiet": "#4d5966",
    "link": "#0a57a4",
    "focus": "#0a57a4",
    "metric": "#0072b2",
    "usual": "#0072b226",
    "score": "#53616f",
    "cutoff": "#1f2933",
    "anomaly": "#c04a00",
    "event": "#d55e0021",
    "planted": "#00694d",
    "planted-fill": "#009e7330",
    "unscored": "#e9edf1",
    "missing": "#8592a0",
    "grid": "#e4e8ed",
    "high": "#a4161a",
    "medium": "#9a4a00",
    "low": "#4d5966",
    "on-mark": "#ffffff",
}
DARK: Palette = {
    "page": "#0f151b",
    "panel": "#18212a",
    "line": "#35424f",
    "text": "#e6edf3",
    "quiet": "#a9b6c3",
    "link": "#79b8ff",
    "focus": "#9ecbff",
    "metric": "#56b4e9",
    "usual": "#56b4e930",
    "score": "#a7b4c2",
    "cutoff": "#f2f5f8",
    "anomaly": "#ff9a57",
    "event": "#ff8a3d2e",
    "planted": "#4fdcb0",
    "planted-fill": "#2bd4a22e",
    "unscored": "#1d2833",
    "missing": "#667686",
    "grid": "#26313c",
    "high": "#ff9b9b",
    "medium": "#ffb77a",
    "low": "#a9b6c3",
    "on-mark": "#0f151b",
}
PAPER: Palette = {
    **LIGHT,
    "panel": "#ffffff",
    "text": "#000000",
    "quiet": "#333333",
    "link": "#000000",
    "cutoff": "#000000",
    "low": "#333333",
}


def variables() -> str:
    """As CSS: what the system prefers, unless the page's switch says otherwise; paper is always light."""
    return "\n".join(
        (
            f":root {{ color-scheme: light; {_written(LIGHT)} }}",
            "@media (prefers-color-scheme: dark) {",
            f"  :root:not([data-theme]) {{ color-scheme: dark; {_written(DARK)} }}",
            "}",
            f':root[data-theme="dark"] {{ color-scheme: dark; {_written(DARK)} }}',
            "@media print {",
            f"  :root, :root[data-theme], :root:not([data-theme]) {{ color-scheme: light; {_written(PAPER)} }}",
            "}",
        )
    )


def _written(palette: Palette) -> str:
    return " ".join(f"--{name}: {colour};" for name, colour in palette.items())
