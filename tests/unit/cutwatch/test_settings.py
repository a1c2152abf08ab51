from dataclasses import FrozenInstanceError, dataclass
from datetime import timedelta
from typing import Literal

import pytest

from cutwatch.errors import InvalidSetting
from cutwatch.settings import Settings, StoreMetricDataSettings, TrainingJobSettings


@dataclass(frozen=True)
class Sample(Settings):
    """One field of every kind."""

    table_name: str
    trees: int
    sigmas: float = 3.0
    subnet_ids: tuple[str, ...] = ()


def test_every_field_is_the_variable_of_its_name_in_capitals() -> None:
    settings = Sample.from_env({"TABLE_NAME": "registry", "TREES": "100", "SIGMAS": "2.5"})
    assert settings == Sample("registry", 100, 2.5)


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(InvalidSetting, match=r"^environment variable TREES is not set$"):
        Sample.from_env({"TABLE_NAME": "registry"})


def test_a_malformed_variable_is_named_with_its_value_and_what_was_expected() -> None:
    with pytest.raises(
        InvalidSetting, match=r"^environment variable TREES is 'many', expected int"
    ):
        Sample.from_env({"TABLE_NAME": "registry", "TREES": "many"})


@dataclass(frozen=True)
class Choice(Settings):
    """A field with few values."""

    severity: Literal["low", "medium", "high"]


def test_a_choice_is_one_of_its_values() -> None:
    assert Choice.from_env({"SEVERITY": "medium"}).severity == "medium"
    with pytest.raises(
        InvalidSetting, match=r"SEVERITY is 'severe', expected low or medium or high$"
    ):
        Choice.from_env({"SEVERITY": "severe"})


@pytest.mark.parametrize(
    ("text", "parts"),
    [("", ()), ("subnet-1", ("subnet-1",)), (" subnet-1 ,subnet-2,", ("subnet-1", "subnet-2"))],
)
def test_lists_are_separated_by_commas(text: str, parts: tuple[str, ...]) -> None:
    settings = Sample.from_env({"TABLE_NAME": "t", "TREES": "1", "SUBNET_IDS": text})
    assert settings.subnet_ids == parts


def test_the_processs_environment_is_read_when_asked_and_not_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TABLE_NAME", "first")
    monkeypatch.setenv("TREES", "1")
    assert Sample.from_env().table_name == "first"

    monkeypatch.setenv("TABLE_NAME", "second")
    assert Sample.from_env().table_name == "second"


def test_settings_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        Sample("t", 1).trees = 2  # type: ignore[misc]


def test_durations_are_given_in_the_units_of_their_names() -> None:
    store = StoreMetricDataSettings("t", "b", data_delay_minutes=15, first_window_days=7)
    training = TrainingJobSettings("b", "cutwatch", "role", "image", deadline_minutes=90)

    assert (store.data_delay, store.first_window) == (timedelta(minutes=15), timedelta(days=7))
    assert training.deadline == timedelta(minutes=90)


@pytest.mark.parametrize(("training", "transform", "files"), [(1, 1, 1), (3, 1, 3), (2, 5, 5)])
def test_there_is_a_file_for_every_instance_of_either_job(
    training: int, transform: int, files: int
) -> None:
    settings = StoreMetricDataSettings("t", "b", 15, 7, training, transform)
    assert settings.row_files == files
