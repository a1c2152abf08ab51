"""template.yaml and the state machines, resolved as CloudFormation would for one stack in one account."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from localaws.template_file import read_template
from tests.support.project import PROJECT

TEMPLATE = PROJECT / "template.yaml"
ACCOUNT, REGION = "123456789012", "us-east-1"
NO_VALUE = object()

FUNCTION = "AWS::Serverless::Function"
STATE_MACHINE = "AWS::Serverless::StateMachine"
NESTED_STACK = "AWS::CloudFormation::Stack"

Resource: TypeAlias = Mapping[str, Any]

# What a `Ref` gives, where it is not the resource's name, and what `GetAtt Arn` gives.
_ARNS = {
    FUNCTION: f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{{name}}",
    STATE_MACHINE: f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{{name}}",
    "AWS::CloudWatch::Alarm": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{{name}}",
    "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{{name}}",
    "AWS::IAM::ManagedPolicy": f"arn:aws:iam::{ACCOUNT}:policy/{{name}}",
    "AWS::IAM::Role": f"arn:aws:iam::{ACCOUNT}:role/{{name}}",
    "AWS::Logs::LogGroup": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{{name}}:*",
    "AWS::S3::Bucket": "arn:aws:s3:::{name}",
    "AWS::Events::Rule": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{{name}}",
    "AWS::SQS::Queue": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{{name}}",
    "AWS::SNS::Topic": f"arn:aws:sns:{REGION}:{ACCOUNT}:{{name}}",
}
_REF_IS_ARN = (STATE_MACHINE, "AWS::IAM::ManagedPolicy", "AWS::SNS::Topic")
_LAMBDA_SETS = {"AWS_REGION": REGION}


def snake(name: str) -> str:
    """`ListDetectors` and `List Detectors` are both `list_detectors`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])| ", "_", name).lower()


def camel(name: str) -> str:
    """`list_detectors` is `ListDetectors`."""
    return name.title().replace("_", "")


class Stack:
    """One deployment of the template. Parameters and settings that are not given have their defaults."""

    def __init__(self, name: str = "cutwatch", path: Path = TEMPLATE, /, **values: str) -> None:
        self.template: dict[str, Any] = read_template(path)
        declared = self.template["Parameters"]
        self._values = {key: str(each.get("Default", "")) for key, each in declared.items()}
        self._values |= {key: value for key, value in values.items() if key in declared}
        for key in values.keys() - declared.keys():
            self.settings[key][self._values["Environment"]] = values[key]
        self._pseudo = {
            "AWS::AccountId": ACCOUNT,
            "AWS::NoValue": NO_VALUE,
            "AWS::Partition": "aws",
            "AWS::Region": REGION,
            "AWS::StackName": name,
            "AWS::URLSuffix": "amazonaws.com",
        }
        self._name = name
        self._functions: Mapping[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Condition": lambda condition: self.value(self.template["Conditions"][condition]),
            "Fn::And": lambda conditions: all(self.value(each) for each in conditions),
            "Fn::Or": lambda conditions: any(self.value(each) for each in conditions),
            "Fn::Split": lambda argument: self.value(argument[1]).split(argument[0]),
            # What another stack exports, by the name of the export.
            "Fn::ImportValue": lambda name: str(self.value(name)),
            "Fn::Equals": lambda sides: self.value(sides[0]) == self.value(sides[1]),
            "Fn::FindInMap": self._find_in_map,
            "Fn::GetAtt": self._get_att,
            "Fn::If": self._if,
            "Fn::Join": lambda argument: argument[0].join(self.value(argument[1])),
            "Fn::Not": lambda argument: not self.value(argument[0]),
            "Fn::Select": lambda argument: self.value(argument[1])[argument[0]],
            "Fn::Sub": self._sub,
        }

    @property
    def settings(self) -> dict[str, dict[str, str]]:
        """Settings by name: the value of each environment, and what is allowed."""
        mapping: dict[str, dict[str, str]] = self.template["Mappings"]["Settings"]
        return mapping

    def bounds(self, setting: str) -> list[int]:
        """The lowest and, if there is one, the highest number that a setting allows."""
        return [int(number) for number in re.findall(r"\d+", self.settings[setting]["allowed"])]

    @property
    def nested_stacks(self) -> list["Stack"]:
        """All stacks that are nested in this one."""
        return [self.nested(logical_id) for logical_id in self.resources(NESTED_STACK)]

    def nested(self, logical_id: str) -> "Stack":
        """The stack that is nested in this one under a logical id."""
        properties = self.properties(logical_id)
        path = PROJECT / properties["TemplateURL"]
        return Stack(f"{self._name}-{logical_id}", path, **properties["Parameters"])

    def resources(self, kind: str) -> dict[str, Resource]:
        """Properties, not resolved, of all resources of a type, by logical id."""
        return {
            logical_id: resource["Properties"]
            for logical_id, resource in self.template["Resources"].items()
            if resource["Type"] == kind
        }

    def properties(self, logical_id: str) -> Any:
        """A resource's properties, resolved."""
        return self.value(self.template["Resources"][logical_id]["Properties"])

    def physical_name(self, logical_id: str) -> str:
        """The name that CloudFormation would give."""
        resource = self.template["Resources"][logical_id]
        if resource["Type"] == "AWS::S3::Bucket":
            return f"{self._name}-{logical_id}-{ACCOUNT}".lower()
        for named in ("Name", "AlarmName"):
            if named in resource["Properties"]:
                return str(self.value(resource["Properties"][named]))
        return f"{self._name}-{logical_id}"

    def arn(self, logical_id: str) -> str:
        """A resource's ARN."""
        kind = self.template["Resources"][logical_id]["Type"]
        return _ARNS[kind].format(name=self.physical_name(logical_id))

    def environment(self, function: str) -> dict[str, str]:
        """All that a function finds in its environment."""
        variables = self.declared_environment(function)
        return _LAMBDA_SETS | {name: str(self.value(value)) for name, value in variables.items()}

    def declared_environment(self, function: str) -> dict[str, Any]:
        """Environment variables as the template declares them, those for all functions included."""
        common = self.template["Globals"]["Function"]["Environment"]["Variables"]
        own = self.resources(FUNCTION)[function].get("Environment", {}).get("Variables", {})
        return {**common, **own}

    def definition(self, state_machine: str) -> dict[str, Any]:
        """A state machine's definition with its substitutions in place."""
        properties = self.resources(STATE_MACHINE)[state_machine]
        text = (PROJECT / properties["DefinitionUri"]).read_text()
        for name, value in properties["DefinitionSubstitutions"].items():
            text = text.replace(f"${{{name}}}", str(self.value(value)))
        definition: dict[str, Any] = json.loads(text)
        return definition

    def value(self, node: Any) -> Any:
        """A template's node with its intrinsic functions evaluated."""
        if isinstance(node, list):
            return [value for each in node if (value := self.value(each)) is not NO_VALUE]
        if not isinstance(node, Mapping):
            return node
        if len(node) == 1:
            name, argument = next(iter(node.items()))
            if name in self._functions:
                return self._functions[name](argument)
        pairs = {key: self.value(each) for key, each in node.items()}
        return {key: value for key, value in pairs.items() if value is not NO_VALUE}

    def _ref(self, name: str) -> Any:
        if name in self._pseudo:
            return self._pseudo[name]
        if name in self._values:
            is_list = self.template["Parameters"][name]["Type"] == "CommaDelimitedList"
            return self._values[name].split(",") if is_list else self._values[name]
        kind = self.template["Resources"][name]["Type"]
        return self.arn(name) if kind in _REF_IS_ARN else self.physical_name(name)

    def _get_att(self, argument: list[str]) -> str:
        logical_id, attribute = argument
        if attribute == "QueueName":
            return self.physical_name(logical_id)
        if attribute != "Arn":
            raise ValueError(f"cannot resolve {logical_id}.{attribute}")
        return self.arn(logical_id)

    def _find_in_map(self, argument: list[Any]) -> Any:
        mapping, key, attribute = map(self.value, argument)
        return self.template["Mappings"][mapping][key][attribute]

    def _if(self, argument: list[Any]) -> Any:
        condition, if_true, if_false = argument
        holds = self.value(self.template["Conditions"][condition])
        return self.value(if_true if holds else if_false)

    def _sub(self, argument: Any) -> str:
        text, variables = argument if isinstance(argument, list) else (argument, {})

        def replacement(match: re.Match[str]) -> str:
            name = match[1]
            if name in variables:
                return str(self.value(variables[name]))
            return str(self._get_att(name.split(".", 1)) if "." in name else self._ref(name))

        return re.sub(r"\$\{([^}!]+)\}", replacement, text)
