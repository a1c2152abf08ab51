"""What CloudWatch takes as a dashboard's body: its "Dashboard Body Structure and Syntax", as JSON Schema.

A `custom` widget is not on that page; its fields are those that the console writes.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator

Schema = Mapping[str, Any]

MAX_WIDGETS, MAX_VARIABLES, MAX_METRICS, MAX_ALARMS = 500, 25, 500, 100
COLUMNS = 24
STATISTICS = r"SampleCount|Average|Sum|Minimum|Maximum|p\d{1,2}(\.\d+)?"

TEXT: Schema = {"type": "string", "minLength": 1}
TRUTH: Schema = {"type": "boolean"}
PERIOD: Schema = {"type": "integer", "minimum": 60, "multipleOf": 60}
STATISTIC: Schema = {"type": "string", "pattern": f"^({STATISTICS})$"}
COLOUR: Schema = {"type": "string", "pattern": "^#[0-9a-fA-F]{6}$"}
SIDE: Schema = {"enum": ["left", "right"]}


def record(required: tuple[str, ...] = (), **fields: Schema) -> Schema:
    """An object with these fields and no others."""
    return {
        "type": "object",
        "properties": fields,
        "required": list(required),
        "additionalProperties": False,
    }


RENDERING = record(
    color=COLOUR,
    label=TEXT,
    period=PERIOD,
    stat=STATISTIC,
    visible=TRUTH,
    yAxis=SIDE,
    id={"type": "string", "pattern": "^[a-z][a-zA-Z0-9_]{0,254}$"},
    region=TEXT,
    accountId=TEXT,
)
EXPRESSION = record(
    ("expression",), expression={**TEXT, "maxLength": 2048}, **RENDERING["properties"]
)
METRIC: Schema = {
    "type": "array",
    "minItems": 1,
    "oneOf": [
        {"prefixItems": [EXPRESSION], "maxItems": 1},
        {
            "prefixItems": [TEXT, TEXT],
            "minItems": 2,
            "items": {"anyOf": [TEXT, RENDERING]},
        },
    ],
}
AXIS = record(label=TEXT, min={"type": "number"}, max={"type": "number"}, showUnits=TRUTH)
PROPERTIES: Mapping[str, Schema] = {
    "text": record(("markdown",), markdown=TEXT, background={"enum": ["solid", "transparent"]}),
    "metric": record(
        ("metrics", "region"),
        metrics={"type": "array", "minItems": 1, "maxItems": MAX_METRICS, "items": METRIC},
        region=TEXT,
        title=TEXT,
        period=PERIOD,
        stat=STATISTIC,
        stacked=TRUTH,
        liveData=TRUTH,
        sparkline=TRUTH,
        view={"enum": ["timeSeries", "singleValue", "gauge", "bar", "pie", "table"]},
        legend=record(("position",), position={"enum": ["right", "bottom", "hidden"]}),
        timezone={"type": "string", "pattern": r"^[+-]\d{4}$"},
        yAxis=record(left=AXIS, right=AXIS),
        annotations={"type": "object"},
        accountId=TEXT,
    ),
    "log": record(
        ("region", "query"),
        region=TEXT,
        title=TEXT,
        query={"type": "string", "pattern": r"^SOURCE '[^']+'( \| SOURCE '[^']+')* \|"},
        view={"enum": ["table", "timeSeries", "bar", "pie"]},
        accountId=TEXT,
    ),
    "alarm": record(
        ("alarms",),
        alarms={
            "type": "array",
            "minItems": 1,
            "maxItems": MAX_ALARMS,
            "items": {"type": "string", "pattern": "^arn:[^:]+:cloudwatch:[^:]+:[0-9]{12}:alarm:"},
        },
        sortBy={"enum": ["default", "stateUpdatedTimestamp", "timestamp"]},
        states={"type": "array", "items": {"enum": ["ALARM", "INSUFFICIENT_DATA", "OK"]}},
        title=TEXT,
    ),
    "custom": record(
        ("endpoint",),
        endpoint={"type": "string", "pattern": "^arn:[^:]+:lambda:[^:]+:[0-9]{12}:function:"},
        title=TEXT,
        params={"type": "object"},
        updateOn=record(refresh=TRUTH, resize=TRUTH, timeRange=TRUTH),
    ),
}
PLACE: Mapping[str, Schema] = {
    "x": {"type": "integer", "minimum": 0, "maximum": COLUMNS - 1},
    "y": {"type": "integer", "minimum": 0},
    "width": {"type": "integer", "minimum": 1, "maximum": COLUMNS},
    "height": {"type": "integer", "minimum": 1, "maximum": 1000},
}
WIDGET: Schema = {
    "oneOf": [
        record(
            ("type", "x", "y", "width", "height", "properties"),
            type={"const": kind},
            properties=properties,
            **PLACE,
        )
        for kind, properties in PROPERTIES.items()
    ]
}
SEARCHED: Schema = {"required": ["search", "populateFrom"]}
VARIABLE: Schema = {
    **record(
        ("type", "id", "inputType"),
        type={"enum": ["property", "pattern"]},
        property=TEXT,
        pattern=TEXT,
        inputType={"enum": ["input", "select", "radio"]},
        id={"type": "string", "pattern": "^[0-9A-Za-z_-]{1,32}$"},
        label={**TEXT, "maxLength": 30},
        defaultValue={"type": ["string", "number", "boolean"]},
        visible=TRUTH,
        search={**TEXT, "maxLength": 2048},
        populateFrom=TEXT,
        values={"type": "array", "minItems": 1, "maxItems": 500},
    ),
    "oneOf": [{"required": ["property"]}, {"required": ["pattern"]}],
    "anyOf": [
        {"properties": {"inputType": {"const": "input"}}},
        {"required": ["values"]},
        SEARCHED,
    ],
}
BODY = record(
    ("widgets",),
    widgets={"type": "array", "maxItems": MAX_WIDGETS, "items": WIDGET},
    variables={"type": "array", "maxItems": MAX_VARIABLES, "items": VARIABLE},
    start={"type": "string", "pattern": r"^-PT?\d+[MHDW]$|^\d{4}-\d\d-\d\dT"},
    end={"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT"},
    periodOverride={"enum": ["auto", "inherit"]},
)


def problems(body: Any) -> Iterator[str]:
    """What CloudWatch would refuse, or draw wrongly."""
    for error in Draft202012Validator(BODY).iter_errors(body):
        yield f"{error.json_path}: {error.message[:200]}"
    yield from _misplaced(body["widgets"])


def _misplaced(widgets: list[Mapping[str, Any]]) -> Iterator[str]:
    """Widgets that reach beyond the grid or lie over another."""
    taken: dict[tuple[int, int], str] = {}
    for widget in widgets:
        name = str(widget["properties"].get("title", widget["type"]))
        if widget["x"] + widget["width"] > COLUMNS:
            yield f"{name} reaches beyond column {COLUMNS}"
        for column in range(widget["x"], widget["x"] + widget["width"]):
            for row in range(widget["y"], widget["y"] + widget["height"]):
                other = taken.setdefault((column, row), name)
                if other != name:
                    yield f"{name} lies over {other}"
                    return
