"""What the documents say of the template is what the template says."""

import json
import re

from tests.support.dashboard_schema import problems
from tests.support.project import PROJECT
from tests.support.stack import Stack

DASHBOARD = PROJECT / "docs" / "dashboard.md"


def test_every_parameter_is_documented_with_its_default_and_its_own_words(stack: Stack) -> None:
    lines = set((PROJECT / "docs" / "configuration.md").read_text().splitlines())
    for name, parameter in stack.template["Parameters"].items():
        default = str(parameter.get("Default", ""))
        shown = f"`{default}`" if default else ""
        meaning = " ".join(str(parameter["Description"]).split())
        assert f"| `{name}` | {shown} | {meaning} |" in lines


def test_the_widget_for_one_s_own_dashboard_is_one_that_cloudwatch_takes() -> None:
    [snippet] = re.findall(r"```json\n(.*?)```", DASHBOARD.read_text(), re.DOTALL)
    widget = json.loads(snippet)
    assert list(problems({"widgets": [widget]})) == []
    shipped = json.loads(Stack().properties("Dashboard")["DashboardBody"])["widgets"]
    [own] = [each for each in shipped if each["type"] == "custom"]
    assert widget.keys() == own.keys()
    assert widget["properties"].keys() == own["properties"].keys()
    assert widget["properties"]["updateOn"] == own["properties"]["updateOn"]


def test_every_widget_of_the_dashboard_is_explained_in_its_order() -> None:
    body = json.loads(Stack().properties("Dashboard")["DashboardBody"])
    titles = [each["properties"].get("title", "text at the top") for each in body["widgets"]]
    document = DASHBOARD.read_text()
    table = document[
        document.index("## What each widget shows") : document.index("Our own metrics")
    ]
    explained = re.findall(r"^\| (.+?) \|", table, re.MULTILINE)[1:]
    assert explained == [title.replace("_detector_", "*detector*") for title in titles]
