"""`make faults`: the whole matrix, or the cases whose names hold a text."""

import os
import sys
import time

from tests.faults.matrix import Verdict, names, run, shown


def main() -> int:
    """Run, tell progress, print the matrix; 1 if a case failed."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    cases = names()
    numbers = [number for number, name in enumerate(cases) if wanted in name]
    started = time.monotonic()
    verdicts: list[Verdict] = []
    for verdict in run(numbers, processes=os.cpu_count() or 1):
        verdicts.append(verdict)
        if verdict.problems:
            print(cases[verdict.number], *verdict.problems, sep="\n  ", flush=True)
        if len(verdicts) % 50 == 0:
            print(f"{len(verdicts)} of {len(numbers)}", flush=True)
    print(shown(verdicts))
    print(f"{time.monotonic() - started:.0f} s")
    return int(any(verdict.problems for verdict in verdicts))


if __name__ == "__main__":
    sys.exit(main())
