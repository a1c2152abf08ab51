"""What the documents say of the template is what the template says."""

from tests.stack import PROJECT, Stack


def test_every_parameter_is_documented_with_its_default_and_its_own_words(stack: Stack) -> None:
    lines = set((PROJECT / "docs" / "configuration.md").read_text().splitlines())
    for name, parameter in stack.template["Parameters"].items():
        default = str(parameter.get("Default", ""))
        shown = f"`{default}`" if default else ""
        meaning = " ".join(str(parameter["Description"]).split())
        assert f"| `{name}` | {shown} | {meaning} |" in lines
