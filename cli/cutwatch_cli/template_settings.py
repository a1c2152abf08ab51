"""The template's settings: the values of each environment, and what each setting allows."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

MAPPING = "Settings"
ALLOWED = "allowed"
_RANGE = re.compile(r"(\d+) to (\d+)")
_MINIMUM = re.compile(r"at least (\d+)")
_EXPRESSION = re.compile(r"/(.*)/")

Template = Mapping[str, Any]
Setting = Mapping[str, str]


def settings_of(template: Template) -> Mapping[str, Setting]:
    """Return the settings by name; none where a template has no such mapping."""
    settings: Mapping[str, Setting] = template.get("Mappings", {}).get(MAPPING, {})
    return settings


def setting_mistakes(template: Template) -> Iterator[str]:
    """Yield a sentence for each value that its setting does not allow, or that an environment lacks."""
    settings = settings_of(template)
    environments = {column for setting in settings.values() for column in setting} - {ALLOWED}
    for name, setting in settings.items():
        if ALLOWED in setting:
            yield from _mistakes_of(name, setting, sorted(environments))
        else:
            yield f"{name} does not say what is {ALLOWED}"


def _mistakes_of(name: str, setting: Setting, environments: Sequence[str]) -> Iterator[str]:
    for environment in environments:
        if environment not in setting:
            yield f"{name} has no value for environment {environment}"
        elif not is_allowed(str(setting[environment]), setting[ALLOWED]):
            yield (
                f"{name} is {setting[environment]!r} for environment {environment}; "
                f"it must be {_in_words(setting[ALLOWED])}"
            )


def is_allowed(value: str, allowed: str) -> bool:
    """Compare a value with `1 to 5`, `at least 1`, `A, B or C`, or a regular expression between slashes."""
    if bounds := _RANGE.fullmatch(allowed):
        return _is_number(value) and int(bounds[1]) <= float(value) <= int(bounds[2])
    if minimum := _MINIMUM.fullmatch(allowed):
        return _is_number(value) and float(value) >= int(minimum[1])
    if expression := _EXPRESSION.fullmatch(allowed):
        return re.fullmatch(expression[1], value) is not None
    return value in re.split(", | or ", allowed)


def with_settings(template: Template, values: Mapping[str, str]) -> Template:
    """Return the template with these values in every environment."""
    settings = dict(settings_of(template))
    for name, value in values.items():
        if name not in settings:
            raise ValueError(f"the template has no parameter and no setting {name}")
        settings[name] = {
            column: allowed if column == ALLOWED else value
            for column, allowed in settings[name].items()
        }
    return {**template, "Mappings": {**template["Mappings"], MAPPING: settings}}


def _is_number(value: str) -> bool:
    return re.fullmatch(r"\d+(\.\d+)?", value) is not None


def _in_words(allowed: str) -> str:
    expression = _EXPRESSION.fullmatch(allowed)
    return f"like the regular expression {expression[1]}" if expression else allowed
