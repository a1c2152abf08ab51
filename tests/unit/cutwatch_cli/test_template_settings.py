"""The settings of a template: what is allowed, and other values for a deployment."""

from typing import Any

import pytest

from cutwatch_cli.template_settings import is_allowed, setting_mistakes, with_settings


def template(**settings: dict[str, str]) -> dict[str, Any]:
    return {"Mappings": {"Settings": settings, "Regions": {"eu": {"Code": "1"}}}, "Resources": {}}


@pytest.mark.parametrize(
    ("allowed", "good", "bad"),
    [
        ("1 to 250", ["1", "250", "2.5"], ["0", "251", "many", "-1", ""]),
        ("at least 14", ["14", "9999"], ["13", "two weeks", "inf"]),
        ("ENABLED or DISABLED", ["ENABLED", "DISABLED"], ["enabled", "ENABLED or DISABLED", ""]),
        ("1, 3 or 5", ["1", "3", "5"], ["2", "1, 3", "35"]),
        (r"/ml\.[a-z0-9]+\.large/", ["ml.m5.large"], ["m5.large", "ml.m5.large ", "ml.m5.large2"]),
    ],
)
def test_what_is_allowed(allowed: str, good: list[str], bad: list[str]) -> None:
    assert [value for value in good if not is_allowed(value, allowed)] == []
    assert [value for value in bad if is_allowed(value, allowed)] == []


def test_a_mistake_names_the_setting_the_environment_the_value_and_what_is_right() -> None:
    wrong = template(
        BatchSize={"allowed": "1 to 250", "dev": "1000", "prod": "1"},
        Type={"allowed": "/ml.+/", "dev": "ml.m5", "prod": "m5"},
    )
    assert list(setting_mistakes(wrong)) == [
        "BatchSize is '1000' for environment dev; it must be 1 to 250",
        "Type is 'm5' for environment prod; it must be like the regular expression ml.+",
    ]


def test_an_environment_that_only_some_settings_know_is_a_mistake() -> None:
    wrong = template(
        A={"allowed": "0 to 1", "dev": "0", "staging": "0"}, B={"allowed": "0 to 1", "dev": "1"}
    )
    assert list(setting_mistakes(wrong)) == ["B has no value for environment staging"]


def test_a_setting_that_does_not_say_what_it_allows_is_a_mistake() -> None:
    wrong = template(A={"dev": "0"})
    assert list(setting_mistakes(wrong)) == ["A does not say what is allowed"]


def test_a_template_without_settings_has_no_mistakes() -> None:
    assert list(setting_mistakes({"Resources": {}})) == []


def test_other_values_hold_for_every_environment_and_change_nothing_else() -> None:
    before = template(
        A={"allowed": "0 to 9", "dev": "0", "prod": "1"}, B={"allowed": "x", "dev": "x"}
    )
    after = with_settings(before, {"A": "5"})
    assert after["Mappings"]["Settings"]["A"] == {"allowed": "0 to 9", "dev": "5", "prod": "5"}
    assert after["Mappings"]["Settings"]["B"] == before["Mappings"]["Settings"]["B"]
    assert after["Mappings"]["Regions"] == before["Mappings"]["Regions"]
    assert before["Mappings"]["Settings"]["A"]["dev"] == "0"


def test_a_setting_that_does_not_exist_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="no parameter and no setting BatchSise"):
        with_settings(template(BatchSize={"allowed": "1 to 2", "dev": "1"}), {"BatchSise": "1"})
