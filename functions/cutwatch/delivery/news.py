"""Age up to which a row is news: a replay of old records does not ring."""

import time

from cutwatch.detectors.stream import Stream

NEWS_SECONDS = 900


def news_since(stream: Stream) -> float:
    """Return the epoch second since which a stream's rows are news.

    The time of a window's row is its begin, and the row is made when the window closes, `allowed_lateness` after its end.
    """
    window = stream.window
    size = 0 if window.type == "count" else window.size or 0
    return time.time() - NEWS_SECONDS - window.allowed_lateness - size
