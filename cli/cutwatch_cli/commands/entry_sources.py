"""Detectors and histories that a command's entry options name."""

from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from cutwatch_cli.commands.entry_options import EntryOptions
from cutwatch_cli.commands.exits import FAILURE, USAGE_ERROR, end, note

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cutwatch.detectors.detector import Detector
    from cutwatch_cli.csv_files.regular_grid import MetricSeries
    from cutwatch_cli.entries.entry import FileDetector


def file_detector(entry: EntryOptions) -> "FileDetector":
    """Return the detector of files; exit if the options name a metric in CloudWatch, or several entries."""
    from cutwatch_cli.entries.entry import FileDetector, with_source

    settings = asdict(entry)
    if source := [*with_source(settings), *(["--since"] if entry.since else [])]:
        end(f"{', '.join(source)} cannot be combined with a file", USAGE_ERROR)
    if len(entry.detector or ()) > 1:
        end("--detector: a file takes the settings of one entry", USAGE_ERROR)
    with _one_line_errors(entry):
        found = _named(entry) if entry.detector else []
        if len(found) > 1:
            end("--detector: a file takes the settings of one detector of a template", USAGE_ERROR)
        file_detector = FileDetector(settings, found[0] if found else None)
        file_detector.check()
    return file_detector


@dataclass(frozen=True)
class Histories:
    """Detectors with their history in CloudWatch, and the names of those that could not be read."""

    read: "Sequence[tuple[Detector, MetricSeries]]"
    unread: "Sequence[str]"

    def end(self) -> None:
        """Exit with code 1 if a detector could not be read."""
        if self.unread:
            end(f"could not be read: {', '.join(self.unread)}", FAILURE)


def read_named(entry: EntryOptions) -> Histories:
    """Read the named detectors; note each that cannot be read, and exit if none can."""
    with _one_line_errors(entry):
        return _readable(entry, _named(entry))


@contextmanager
def _one_line_errors(entry: EntryOptions) -> "Iterator[None]":
    from botocore.exceptions import BotoCoreError, ClientError

    from cutwatch.errors import CutwatchError
    from cutwatch_cli.entries.entry import EntryError
    from cutwatch_cli.stacks.account import explanation

    try:
        yield
    except (EntryError, CutwatchError) as error:
        end(str(error), USAGE_ERROR)
    except (BotoCoreError, ClientError) as error:
        end(explanation(error, entry.region), USAGE_ERROR)


def _named(entry: EntryOptions) -> "Sequence[Detector]":
    from cutwatch_cli.entries.entry import entry_detectors, metric_detector, with_source

    settings = asdict(entry)
    if not entry.detector:
        return [metric_detector(settings)]
    if source := with_source(settings):
        end(f"--detector cannot be combined with {', '.join(source)}", USAGE_ERROR)
    return entry_detectors(entry.detectors, entry.detector, settings, _client(entry))


def _readable(entry: EntryOptions, detectors: "Sequence[Detector]") -> Histories:
    from cutwatch_cli.commands.time_range import look_back
    from cutwatch_cli.entries.history import account_time, read_history

    span = look_back(entry.since) if entry.since else None
    cloudwatch = _client(entry)()
    found = read_history(cloudwatch, detectors, account_time(cloudwatch, detectors[0]), span)
    failures = {name: each for name, each in found.items() if isinstance(each, Exception)}
    for name, failure in failures.items():
        note(f"{name}: {failure}")
    if len(failures) == len(found):
        end("no history could be read; nothing was done", FAILURE)
    read = [(each, s) for each in detectors if not isinstance(s := found[each.name], Exception)]
    return Histories(read, list(failures))


def _client(entry: EntryOptions) -> Any:
    """Return a function that opens a client of CloudWatch: a file's settings need none."""

    def client() -> Any:
        from cutwatch_cli.stacks.account import Account

        return Account.reached_by(entry.profile, entry.region).client("cloudwatch")

    return client
