"""Settings for the tests of all distributions."""

import gc
import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import settings

pytest_plugins = ["tests.support.processor_time", "tests.support.shared_api_models"]

# boto3's clients need a region and credentials; with these, no test can reach a real account.
os.environ.update(
    AWS_ACCESS_KEY_ID="testing",
    AWS_SECRET_ACCESS_KEY="testing",
    AWS_SESSION_TOKEN="testing",
    AWS_DEFAULT_REGION="us-east-1",
    POWERTOOLS_METRICS_NAMESPACE="Cutwatch/Operations",
    POWERTOOLS_TRACE_DISABLED="1",
)

# The workers share the cores; threads that numpy's products start in each of them would only wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# How long an example takes says more about the machine than about the code.
settings.register_profile("dev", deadline=None, max_examples=25)
settings.register_profile("ci", deadline=None, max_examples=100)

# Python's own 700 collect many times within one client, template or answer, and find next to nothing.
ALLOCATIONS_BETWEEN_COLLECTIONS = 20_000

LONGEST_FIRST = (
    "tests/faults",
    "tests/e2e",
    # One long test weighs more than many that are slow.
    "tests/workflow/test_stream_demo.py",
    "tests/workflow/test_least_privilege.py",
    "tests/workflow/test_inside_lambda.py",
    "tests/workflow",
    "tests/browser",
    "localaws/tests/integration",
    "tests/integration",
    "tests/template",
    "localaws/tests/unit",
    "tests/unit",
)
"""The order of folders and files. xdist hands out files in this order, so that no long file is left for the end."""


def pytest_configure(config: pytest.Config) -> None:
    """Choose Hypothesis's profile, unless --hypothesis-profile does."""
    if not config.getoption("hypothesis_profile", None):
        settings.load_profile("ci" if os.environ.get("CI") else "dev")
    # pytest sets the filters of observability.py aside.
    config.addinivalue_line("filterwarnings", "ignore:No application metrics to publish")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the longest files first: by LONGEST_FIRST, and in a folder by their number of slow tests."""
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))

    def rank(file: Path) -> tuple[int, int]:
        path = file.relative_to(config.rootpath)
        if path.as_posix() in LONGEST_FIRST:
            return LONGEST_FIRST.index(path.as_posix()), 0
        folders = (n for n, folder in enumerate(LONGEST_FIRST) if path.is_relative_to(folder))
        return next(folders, len(LONGEST_FIRST)), -slow[file]

    ranks = {file: rank(file) for file in {item.path for item in items}}
    items.sort(key=lambda item: ranks[item.path])


def pytest_collection_finish() -> None:
    """Keep modules and tests out of garbage collections: looking at them again took a tenth of the tests' time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(ALLOCATIONS_BETWEEN_COLLECTIONS)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return one worker more than there are cores, because tests wait for servers; pure tests (`-n logical`) do not wait."""
    return (os.cpu_count() or 1) + (config.option.numprocesses == "auto")
