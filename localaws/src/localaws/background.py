"""Work in threads of its own, while which the clock skips no wait."""

import threading
from collections.abc import Callable

from localaws.clock import Clock


def in_background(clock: Clock, name: str, work: Callable[[], None]) -> None:
    """Start the work. It holds the clock, and lets time pass by `clock.sleep` alone."""

    def run() -> None:
        try:
            with clock.already_held():
                work()
        finally:
            clock.release()

    clock.hold()
    threading.Thread(target=run, name=name, daemon=True).start()
