"""Options of AWS's Random Cut Forest library."""

from typing import Any

from cutwatch.detectors.stream import ForestSettings

# From this many learned rows on the forest has scores; they are a baseline until the sample is full, and not reported.
WARM_UP_ROWS = 32


def forest_options(settings: ForestSettings, columns: int, seed: int) -> Any:
    """Return the library's options for a forest of shingles over rows of some columns."""
    return {
        "dimensions": columns * settings.shingle_size,
        "shingle_size": 1,
        "num_trees": settings.trees,
        "sample_size": settings.sample_size,
        "lambda": 1 / settings.time_decay,
        "random_seed": seed,
        "output_after": min(WARM_UP_ROWS, settings.sample_size),
        "parallel_execution_enabled": False,
    }
