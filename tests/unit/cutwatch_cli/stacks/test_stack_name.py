from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from cutwatch_cli.stacks.account import Account
from cutwatch_cli.stacks.refusal import Refused
from cutwatch_cli.stacks.stack_name import CONFIG_FILES, candidates, deploy_config, only_stack
from tests.support.project import PROJECT

PERSONAL, SHARED = CONFIG_FILES
OUTPUTS = [
    {"OutputKey": name, "OutputValue": "x"}
    for name in (
        "AnomalyNamespace",
        "DataBucketName",
        "RegistryTableName",
        "TransformStateMachineArn",
    )
]


class CloudFormation:
    """An account with these stacks, or one that may not list them."""

    def __init__(self, stacks: Sequence[dict[str, Any]], *, denied: bool = False) -> None:
        self._stacks, self._denied = stacks, denied

    def get_paginator(self, _operation: str) -> "CloudFormation":
        return self

    def paginate(self) -> list[dict[str, Any]]:
        if self._denied:
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "DescribeStacks")
        return [{"Stacks": [stack]} for stack in self._stacks]


def account(*names: str, denied: bool = False) -> Account:
    stacks = [{"StackName": name, "Outputs": OUTPUTS} for name in names]
    others: list[dict[str, Any]] = [
        {"StackName": "network", "Outputs": OUTPUTS[:1]},
        {"StackName": "empty", "Outputs": []},
    ]
    session = type("Session", (), {"region_name": "eu-west-1"})()
    session.client = lambda *_, **__: CloudFormation([*stacks, *others], denied=denied)
    return Account(cast("Any", session))


def write(folder: Path, name: str, stack: str, table: str = "deploy", more: str = "") -> None:
    (folder / name).write_text(
        f'version = 0.1\n[default.{table}.parameters]\nstack_name = "{stack}"\n{more}'
    )


def test_the_shipped_file_names_the_stack_that_a_plain_deployment_makes() -> None:
    config = deploy_config(PROJECT)

    assert config is not None
    assert (config.file, config.stack, config.region) == (SHARED, "cutwatch-dev", None)


def test_personal_settings_come_before_the_shared_ones(tmp_path: Path) -> None:
    write(tmp_path, SHARED, "everybodys")
    write(tmp_path, PERSONAL, "mine", more='region = "eu-north-1"\n')

    config = deploy_config(tmp_path)

    assert config is not None
    assert (config.file, config.stack, config.region) == (PERSONAL, "mine", "eu-north-1")


def test_personal_settings_without_a_stack_leave_it_to_the_shared_ones(tmp_path: Path) -> None:
    write(tmp_path, SHARED, "everybodys")
    (tmp_path / PERSONAL).write_text("[default.build.parameters]\ncached = true\n")

    config = deploy_config(tmp_path)

    assert config is not None
    assert config.stack == "everybodys"


def test_settings_of_all_commands_apply_where_the_deployment_has_none(tmp_path: Path) -> None:
    write(tmp_path, SHARED, "cutwatch", table="global")

    config = deploy_config(tmp_path)

    assert config is not None
    assert config.stack == "cutwatch"


def test_a_folder_without_configuration_names_no_stack(tmp_path: Path) -> None:
    assert deploy_config(tmp_path) is None


def test_a_damaged_file_is_an_error_that_says_how_to_do_without(tmp_path: Path) -> None:
    (tmp_path / SHARED).write_text("[default")

    with pytest.raises(
        Refused, match=r"samconfig.toml cannot be read: .*--stack or CUTWATCH_STACK"
    ):
        deploy_config(tmp_path)


def test_the_only_cutwatch_stack_is_found_among_others() -> None:
    assert only_stack(account("cutwatch-prod")) == "cutwatch-prod"


def test_of_several_stacks_none_is_chosen_and_all_are_listed() -> None:
    with pytest.raises(Refused, match=r"2 Cutwatch stacks in region eu-west-1; .*: blue, green"):
        only_stack(account("green", "blue"))


def test_without_a_cutwatch_stack_the_message_says_how_to_deploy_one() -> None:
    with pytest.raises(Refused, match=r"no Cutwatch stack in region eu-west-1; .*sam deploy"):
        only_stack(account())


def test_credentials_that_may_not_list_stacks_are_told_to_name_one() -> None:
    with pytest.raises(Refused, match="may not list stacks; name one with --stack"):
        only_stack(account(denied=True))
    assert candidates(account(denied=True)) == ""


def test_candidates_end_a_message() -> None:
    assert candidates(account("green", "blue")) == "; Cutwatch stacks there: blue, green"
    assert candidates(account()) == "; no Cutwatch stack is there"
