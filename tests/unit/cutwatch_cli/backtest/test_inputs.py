from pathlib import Path

import pytest

from cutwatch_cli.backtest.inputs import (
    NAB_HEADER,
    RESULT_HEADER,
    check_results,
    find_files,
    named_inputs,
)
from cutwatch_cli.csv_files.csv_series import CsvError


def write(*paths: Path, header: str = "timestamp,value") -> list[Path]:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{header}\n")
    return list(paths)


def test_folders_are_searched_at_any_depth_for_csv(tmp_path: Path) -> None:
    expected = write(tmp_path / "a" / "b" / "one.csv", tmp_path / "two.CSV")
    write(tmp_path / "notes.txt", tmp_path / "data.json")

    assert sorted(find_files([tmp_path])) == sorted(expected)


def test_hidden_folders_and_virtual_environments_are_not_searched(tmp_path: Path) -> None:
    [expected] = write(tmp_path / "one.csv")
    write(
        tmp_path / ".git" / "x.csv",
        tmp_path / "env" / "lib" / "x.csv",
        tmp_path / "node_modules" / "x.csv",
        tmp_path / ".hidden.csv",
    )
    (tmp_path / "env" / "pyvenv.cfg").touch()

    assert find_files([tmp_path]) == [expected]


def test_results_are_never_inputs_wherever_they_are(tmp_path: Path) -> None:
    [expected] = write(tmp_path / "one.csv")
    write(tmp_path / "out" / "one.csv")
    write(tmp_path / "earlier" / "one.csv", header=",".join(RESULT_HEADER))
    write(tmp_path / "nab" / "one.csv", header=",".join(NAB_HEADER))

    assert find_files([tmp_path], [tmp_path / "out"]) == [expected]


def test_a_file_given_twice_is_read_once(tmp_path: Path) -> None:
    [file] = write(tmp_path / "one.csv")
    assert find_files([file, tmp_path, tmp_path / "." / "one.csv"]) == [file]


@pytest.mark.parametrize(
    ("path", "told"), [("", "no CSV file there"), ("gone", "is neither a CSV file nor a directory")]
)
def test_a_place_without_csv_files_is_a_mistake(path: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(CsvError, match=told):
        find_files([tmp_path / path])


def test_results_are_named_by_the_folder_and_labels_by_the_file(tmp_path: Path) -> None:
    [one] = named_inputs(write(tmp_path / "shop" / "orders.csv"))
    assert (one.results, one.label) == ("shop/orders.csv", "orders")


def test_files_of_one_name_have_results_and_labels_of_their_own(tmp_path: Path) -> None:
    files = write(
        tmp_path / "eu" / "shop" / "orders.csv",
        tmp_path / "us" / "shop" / "orders.csv",
        tmp_path / "us" / "till" / "Orders.csv",
        tmp_path / "us" / "till" / "orders.json",
    )

    inputs = named_inputs(files)

    assert [each.results for each in inputs] == [
        "eu/shop/orders.csv",
        "us/shop/orders.csv",
        "till/Orders.csv",
        "till/orders.json.csv",
    ]
    assert [each.label for each in inputs][2:] == ["till/Orders", "till/orders.json"]


def test_results_that_would_overwrite_an_input_are_refused(tmp_path: Path) -> None:
    inputs = named_inputs(write(tmp_path / "shop" / "orders.csv"))

    check_results(inputs, [tmp_path / "out"])
    with pytest.raises(CsvError, match=r"would overwrite the input file .*orders\.csv; choose"):
        check_results(inputs, [tmp_path])
