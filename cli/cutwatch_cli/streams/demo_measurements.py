"""Latency and rate of a demo, and its counts as a table."""

from collections.abc import Sequence

import numpy as np
from rich.table import Table

from cutwatch.wording import count, number_in_words


def percentile(latencies: Sequence[float], percent: float) -> float:
    """Return a percentile of latencies; 0 without any."""
    return float(np.percentile(latencies, percent)) if latencies else 0.0


def speed_payload(latencies: Sequence[float], sent: int, seconds: float) -> dict[str, float]:
    """Return latencies and rate as JSON values."""
    return {
        "p50_seconds": round(percentile(latencies, 50), 3),
        "p95_seconds": round(percentile(latencies, 95), 3),
        "records_per_second": round(sent / seconds, 1) if seconds else 0.0,
    }


def speed_lines(
    latencies: Sequence[float], sent: int, seconds: float, *, begins: str, noun: str
) -> list[str]:
    """Describe latencies and rate; `begins` is the start of a latency."""
    rate = sent / seconds if seconds else 0.0
    return [
        f"From {begins} to email: {percentile(latencies, 50):.2f} s (p50), {percentile(latencies, 95):.2f} s (p95) by the "
        "local clock. The batching window takes 1 s of it.",
        f"{count(sent, noun)} in {seconds:.0f} s on this machine: {number_in_words(rate)} a second.",
    ]


def counts_table(heading: str, rows: Sequence[tuple[str, int, str]]) -> Table:
    """Return a table of counts with remarks."""
    table = Table(box=None, pad_edge=False)
    table.add_column(heading, no_wrap=True)
    table.add_column("", justify="right")
    table.add_column("")
    for name, number, remark in rows:
        table.add_row(name, f"{number:,}", remark)
    return table
