"""How pictures look: colours that colour-blind people can tell apart, quiet axes, readable type."""

from typing import Any

METRIC = "#0072B2"
ANOMALY = "#D55E00"
PLANTED = "#009E73"
SCORE = "#5B6B7B"
CUTOFF = "#1F2933"
LEARNING = "#EEF1F5"
MISSING_BAND: dict[str, Any] = {"facecolor": "#E1E6EB", "edgecolor": "#A3AEB9", "hatch": "//////"}
TEXT = "#1F2933"
QUIET_TEXT = "#66717E"
GRID = "#E4E8ED"

SIZE_INCHES = (10.0, 5.0)
DOTS_PER_INCH = 160

SETTINGS: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "text.color": TEXT,
    "text.parse_math": False,
    "axes.edgecolor": "#9AA5B1",
    "axes.labelcolor": QUIET_TEXT,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "hatch.linewidth": 0.8,
    "lines.solid_capstyle": "round",
    "legend.frameon": False,
    "legend.fontsize": 8.0,
    "xtick.color": QUIET_TEXT,
    "xtick.major.size": 3.5,
    "xtick.major.width": 0.7,
    "ytick.color": QUIET_TEXT,
    "ytick.left": False,
    "path.simplify_threshold": 0.3,
}
