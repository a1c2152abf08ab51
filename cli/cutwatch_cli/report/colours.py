"""The page's colours: the widget's palette, and colours that only the page has, for light, dark and paper."""

from collections.abc import Mapping

from cutwatch.widget import palette as widget

Palette = Mapping[str, str]


def _palette(
    shared: widget.Palette, *, expected: str, event: str, planted: str, **own: str
) -> Palette:
    """Combine shared and own colours; `expected`, `event` and `planted` are the opacities of areas, in hexadecimal."""
    return {
        "text": shared.text,
        "quiet": shared.quiet,
        "grid": shared.grid,
        "link": shared.link,
        "metric": shared.metric,
        "expected": shared.reference + expected,
        "expected-line": shared.reference,
        "score": shared.score,
        "cutoff": shared.text,
        "anomaly": shared.anomaly,
        "event": shared.anomaly + event,
        "planted": shared.reference,
        "planted-fill": shared.reference + planted,
        "low": shared.quiet,
        "on-mark": shared.badge_text,
        **own,
    }


LIGHT = _palette(
    widget.LIGHT,
    expected="26",
    event="21",
    planted="2b",
    page="#ffffff",
    panel="#f6f8fa",
    line="#d0d7de",
    focus="#0a57a4",
    unscored="#e9edf1",
    missing="#8592a0",
    high="#a4161a",
    medium="#9a4a00",
)
DARK = _palette(
    widget.DARK,
    expected="30",
    event="2e",
    planted="2e",
    page="#0f151b",
    panel="#18212a",
    line="#35424f",
    focus="#9ecbff",
    unscored="#1d2833",
    missing="#667686",
    high="#ff9b9b",
    medium="#ffb77a",
)
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
    """Return the CSS variables: the system's theme unless the page's switch overrides it; paper is always light."""
    return "\n".join(
        (
            f":root {{ color-scheme: light; {_declarations(LIGHT)} }}",
            "@media (prefers-color-scheme: dark) {",
            f"  :root:not([data-theme]) {{ color-scheme: dark; {_declarations(DARK)} }}",
            "}",
            f':root[data-theme="dark"] {{ color-scheme: dark; {_declarations(DARK)} }}',
            "@media print {",
            f"  :root, :root[data-theme], :root:not([data-theme]) {{ color-scheme: light; {_declarations(PAPER)} }}",
            "}",
        )
    )


def _declarations(palette: Palette) -> str:
    return " ".join(f"--{name}: {colour};" for name, colour in palette.items())
