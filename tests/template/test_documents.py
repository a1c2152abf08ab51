"""What the documents say of the template is what the template says."""

import json
import re
from typing import Any

from tests.support.dashboard_schema import problems
from tests.support.project import PROJECT
from tests.support.stack import TEMPLATE, Stack

DASHBOARD = PROJECT / "docs" / "dashboard.md"
TUNING = PROJECT / "docs" / "tuning.md"
# A setting with the comment above it.
_SETTING = re.compile(r"^    # (.+)\n    (\w+): \{allowed: ", re.MULTILINE)


def test_every_parameter_is_documented_with_its_default_and_its_own_words(stack: Stack) -> None:
    lines = set((PROJECT / "docs" / "configuration.md").read_text().splitlines())
    for name, parameter in stack.template["Parameters"].items():
        default = str(parameter.get("Default", ""))
        shown = f"`{default}`" if default else ""
        meaning = " ".join(str(parameter["Description"]).split())
        assert f"| `{name}` | {shown} | {meaning} |" in lines


def test_every_setting_is_documented_with_its_values_and_its_own_words(stack: Stack) -> None:
    lines = set((PROJECT / "docs" / "configuration.md").read_text().splitlines())
    words = {name: meaning for meaning, name in _SETTING.findall(TEMPLATE.read_text())}
    environments = stack.template["Parameters"]["Environment"]["AllowedValues"]
    assert set(words) == set(stack.settings)
    for name, meaning in words.items():
        setting = stack.settings[name]
        allowed = shown(setting["allowed"])
        values = " | ".join(f"`{setting[environment]}`" for environment in environments)
        assert f"| `{name}` | {allowed} | {values} | {meaning} |" in lines


def shown(allowed: str) -> str:
    """In a cell of a table; a regular expression is code."""
    cell = allowed.replace("|", "\\|")
    return f"`{cell}`" if cell.startswith("/") else cell


def dashboard() -> dict[str, Any]:
    body: dict[str, Any] = json.loads(
        Stack().nested("Monitoring").properties("Dashboard")["DashboardBody"]
    )
    return body


def test_the_widget_for_one_s_own_dashboard_is_one_that_cloudwatch_takes() -> None:
    [snippet] = re.findall(r"```json\n(.*?)```", DASHBOARD.read_text(), re.DOTALL)
    widget = json.loads(snippet)
    assert list(problems({"widgets": [widget]})) == []
    shipped = dashboard()["widgets"]
    [own] = [each for each in shipped if each["type"] == "custom"]
    assert widget.keys() == own.keys()
    assert widget["properties"].keys() == own["properties"].keys()
    assert widget["properties"]["updateOn"] == own["properties"]["updateOn"]


def test_every_widget_of_the_dashboard_is_explained_in_its_order() -> None:
    widgets = dashboard()["widgets"]
    titles = [each["properties"].get("title", "text at the top") for each in widgets]
    document = DASHBOARD.read_text()
    table = document[
        document.index("## What each widget shows") : document.index("Our own metrics")
    ]
    explained = re.findall(r"^\| (.+?) \|", table, re.MULTILINE)[1:]
    assert explained == [title.replace("_detector_", "*detector*") for title in titles]


def test_the_entries_on_the_page_about_tuning_are_those_that_its_commands_use() -> None:
    shown = re.findall(r"```yaml\n(.*?)```", TUNING.read_text(), re.DOTALL)
    used = (PROJECT / "docs" / "tuning" / "detectors.yaml").read_text().partition("detectors:\n")[2]
    assert "\n".join(shown) == used
