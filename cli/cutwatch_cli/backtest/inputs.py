"""Input files of a backtest: which files a folder contributes, and a result path for each that is its own."""

import csv
import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from cutwatch_cli.csv_files.csv_series import CsvError

RESULT_HEADER = ("timestamp", "value", "score", "severity", "anomaly", "event")
NAB_HEADER = ("timestamp", "anomaly_score")
_SUFFIX = ".csv"
_NOT_SEARCHED = {"__pycache__", "node_modules", "site-packages"}
_VIRTUAL_ENVIRONMENT = "pyvenv.cfg"


class InputFile(NamedTuple):
    """A file to backtest, the path of its results below their folder, and its name in tables and on the page."""

    path: Path
    results: str
    label: str

    @classmethod
    def alone(cls, path: Path) -> "InputFile":
        """Return the input of a backtest of one file."""
        return cls(path, _name(path, 2), path.stem)


def find_files(paths: Sequence[Path], results: Collection[Path] = ()) -> list[Path]:
    """Return the input files, searching folders at any depth for CSV.

    Hidden folders, virtual environments, the folders `results`, and results of other backtests are left out. Raises
    `CsvError` if there is nothing to read.
    """
    excluded = {folder.resolve() for folder in results}
    found: dict[Path, Path] = {}
    for path in paths:
        for file in _files_of(path, excluded):
            found.setdefault(file.resolve(), file)
    if not found:
        places = ", ".join(map(str, paths))
        raise CsvError(
            f"{places}: no CSV file there; files with other suffixes are read when named"
        )
    return list(found.values())


def is_result(path: Path) -> bool:
    """Return True if the file has the header of a backtest's results."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            header = tuple(next(csv.reader(file), ()))
    except (OSError, UnicodeDecodeError, csv.Error):
        return False
    return header in (RESULT_HEADER, NAB_HEADER)


def named_inputs(paths: Sequence[Path]) -> list[InputFile]:
    """Return the files, each with results and a label of its own.

    Results go to `<parent folder>/<name>.csv`, with more folders where two files would share that path. A label is the
    file's name without suffix, or the path of the results where names repeat.
    """
    results = _result_paths(paths)
    stems = Counter(path.stem.casefold() for path in paths)
    return [
        InputFile(
            path, name, path.stem if stems[path.stem.casefold()] == 1 else name[: -len(_SUFFIX)]
        )
        for path, name in results.items()
    ]


def check_results(inputs: Sequence[InputFile], folders: Collection[Path]) -> None:
    """Raise `CsvError` if results would overwrite one of the input files."""
    read = {each.path.resolve() for each in inputs}
    for folder in folders:
        for path, results, _ in inputs:
            if (folder / results).resolve() in read:
                raise CsvError(
                    f"{path}: its results would overwrite the input file {folder / results}; "
                    "choose another --output or --nab-results"
                )


def _result_paths(paths: Sequence[Path]) -> Mapping[Path, str]:
    depths = dict.fromkeys(paths, 2)
    while True:
        names = {path: _name(path, depth) for path, depth in depths.items()}
        # Compared without case: two such names are one file on macOS and Windows.
        used = Counter(name.casefold() for name in names.values())
        shared = [
            path
            for path, name in names.items()
            if used[name.casefold()] > 1 and depths[path] < len(path.resolve().parts) - 1
        ]
        if not shared:
            return names
        depths |= {path: depths[path] + 1 for path in shared}


def _files_of(path: Path, excluded: Collection[Path]) -> Iterator[Path]:
    if path.is_dir():
        yield from sorted(each for each in _below(path, excluded) if not is_result(each))
    elif path.is_file():
        yield path
    else:
        raise CsvError(f"{path}: is neither a CSV file nor a directory with CSV files")


def _below(root: Path, excluded: Collection[Path]) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        here = Path(folder)
        folders[:] = [name for name in folders if _searched(here / name, excluded)]
        if here.resolve() not in excluded:
            yield from (
                here / name
                for name in files
                if name.lower().endswith(_SUFFIX) and not name.startswith(".")
            )


def _searched(folder: Path, excluded: Collection[Path]) -> bool:
    return (
        not folder.name.startswith(".")
        and folder.name not in _NOT_SEARCHED
        and not (folder / _VIRTUAL_ENVIRONMENT).exists()
        and folder.resolve() not in excluded
    )


def _name(path: Path, depth: int) -> str:
    name = "/".join(path.resolve().parts[-depth:])
    return name if name.lower().endswith(_SUFFIX) else name + _SUFFIX
