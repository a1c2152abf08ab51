"""The stack of a watched table, and its state machine."""

import json
from dataclasses import fields
from importlib import import_module
from typing import Any

import pytest

from cutwatch import errors
from cutwatch.aws.clients import CONNECT_SECONDS, ENDPOINT_ANSWER_SECONDS, client
from cutwatch.aws.limits import EXECUTION_HISTORY_MAX_EVENTS
from cutwatch.observability import RESERVE
from cutwatch.settings import Settings
from localaws.template_file import read_template
from tests.support.definitions import LAMBDA, State, all_states, definition, lambda_of, successors
from tests.support.project import PROJECT
from tests.support.sample_events import EVENTS
from tests.support.stack import FUNCTION, snake

TEMPLATE: dict[str, Any] = read_template(PROJECT / "stacks" / "table.yaml")
RESOURCES: dict[str, Any] = TEMPLATE["Resources"]
FUNCTIONS = {
    name: each["Properties"] for name, each in RESOURCES.items() if each["Type"] == FUNCTION
}
MACHINE = definition("endpoint")
TASKS = {name: state for name, state in MACHINE["States"].items() if state["Type"] == "Task"}
SET_BY_OTHERS = {"AWS_REGION", "DETECTORS_FILE"}
# Wait, task and choice of one round of polling, as Step Functions writes them into the history.
EVENTS_OF_A_POLL = 2 + 5 + 2

tasks = pytest.mark.parametrize(("name", "state"), TASKS.items(), ids=list(TASKS))


def test_a_state_machine_calls_every_function_that_trains_and_no_other() -> None:
    scoring = {"ScoreDynamodbStream", "CloseTableIncidents"}
    assert {lambda_of(state) for state in TASKS.values()} == FUNCTIONS.keys() - scoring
    substitutions = RESOURCES["EndpointStateMachine"]["Properties"]["DefinitionSubstitutions"]
    arns = {LAMBDA.fullmatch(state["Resource"])[1] for state in TASKS.values()}  # type: ignore[index]
    assert {f"{name}Arn" for name in arns} | {"PollSeconds", "Preparation"} == set(substitutions)
    for name, value in substitutions.items():
        own = {"Fn::GetAtt": [name.removesuffix("Arn"), "Arn"]}
        only_with_glue = {"Fn::If": ["UsesGlue", own, {"Fn::GetAtt": ["PrepareRecords", "Arn"]}]}
        assert value in (own, only_with_glue, {"Ref": name})


def test_every_state_has_a_comment_and_can_be_reached() -> None:
    assert [name for name, state in all_states(MACHINE) if not state.get("Comment")] == []
    reachable: set[str] = set()
    frontier = {MACHINE["StartAt"]}
    while frontier:
        reachable |= frontier
        frontier = (
            set().union(*(successors(MACHINE["States"][each]) for each in frontier)) - reachable
        )
    assert reachable == set(MACHINE["States"])


@tasks
def test_a_task_waits_longer_than_its_function_and_retries_as_the_others_do(
    name: str, state: State
) -> None:
    allowed = FUNCTIONS[lambda_of(state)].get("Timeout", TEMPLATE["Globals"]["Function"]["Timeout"])
    usual = dict(all_states(definition("training")))["List Detectors"]["Retry"][0]
    assert state["TimeoutSeconds"] > allowed
    assert state["Retry"][0] == usual
    for retrier in state["Retry"][1:]:
        [error] = retrier["ErrorEquals"]
        assert issubclass(getattr(errors, error), errors.CutwatchError)


@tasks
def test_every_error_is_caught_and_ends_the_execution_with_its_reason(
    name: str, state: State
) -> None:
    [catcher] = state["Catch"]
    assert catcher["ErrorEquals"] == ["States.ALL"]
    if not name.startswith("Stop"):
        assert (catcher["Next"], catcher["ResultPath"]) == ("Run Failed", "$.result")


def routed(choice: State) -> dict[str, str]:
    """Status to next state, as long as the deadline has not passed."""
    routes: dict[str, str] = {}
    for branch in choice["Choices"]:
        for test in branch.get("Or", [branch]):
            if "StringEquals" in test:
                routes.setdefault(test["StringEquals"], branch["Next"])
    return routes


@pytest.mark.parametrize(
    ("choice", "service", "shape", "waits", "otherwise"),
    [
        ("Export Status?", "dynamodb", "ExportStatus", {"IN_PROGRESS"}, "Export Failed"),
        (
            "Preparation Job Status?",
            "glue",
            "JobRunState",
            {"STARTING", "RUNNING", "STOPPING", "WAITING"},
            "Preparation Job Failed",
        ),
        ("Training Job Status?", "sagemaker", "TrainingJobStatus", {"InProgress", "Stopping"}, "Training Job Failed"),
        ("Transform Job Status?", "sagemaker", "TransformJobStatus", {"InProgress", "Stopping"}, "Transform Job Failed"),
        (
            "Deployment Status?",
            "sagemaker",
            "EndpointStatus",
            {"Creating", "Updating", "SystemUpdating", "RollingBack"},
            "Deployment Failed",
        ),
    ],
)  # fmt: skip
def test_every_status_that_a_service_knows_has_a_way_out(
    choice: str, service: str, shape: str, waits: set[str], otherwise: str
) -> None:
    state = MACHINE["States"][choice]
    known: Any = client(service, "us-east-1").meta.service_model.shape_for(shape)
    assert set(routed(state)) == set(known.enum)
    assert {
        s for s, following in routed(state).items() if following.startswith("Wait For")
    } == waits
    assert state["Default"] == otherwise
    following = [branch["Next"] for branch in state["Choices"]]
    deadline = next(n for n in following if n.startswith("Stop ") or n.endswith("Overdue"))
    waiting = next(n for n in following if n.startswith("Wait For"))
    assert following.index(deadline) < following.index(waiting)


def test_the_cutoff_is_stored_before_the_model_is_deployed() -> None:
    assert TASKS["Store Cutoff"]["Next"] == "Deploy Model"
    before = {
        name for name, state in MACHINE["States"].items() if "Deploy Model" in successors(state)
    }
    assert before == {"Store Cutoff"}


def test_the_longest_deadlines_fit_into_a_history() -> None:
    parameters = TEMPLATE["Parameters"]
    minutes = 2 * parameters["JobDeadlineMinutes"]["MaxValue"]
    minutes += parameters["DeploymentDeadlineMinutes"]["MaxValue"]
    minutes += parameters["PreparationDeadlineMinutes"]["MaxValue"]
    polls = minutes * 60 / parameters["PollSeconds"]["MinValue"]
    assert polls * EVENTS_OF_A_POLL < EXECUTION_HISTORY_MAX_EVENTS
    assert MACHINE["TimeoutSeconds"] > minutes * 60


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_functions_environment_is_what_its_settings_read(function: str) -> None:
    own = FUNCTIONS[function].get("Environment", {}).get("Variables", {})
    common = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    classes = [
        value
        for value in vars(import_module(snake(function))).values()
        if isinstance(value, type) and issubclass(value, Settings)
    ]
    read = {field.name.upper() for settings in classes for field in fields(settings)}
    assert read - SET_BY_OTHERS <= own.keys() | common.keys()
    assert own.keys() <= read


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_has_a_sample_event_and_a_role_of_its_own(function: str) -> None:
    assert json.loads((EVENTS / f"{snake(function)}.json").read_text())
    assert FUNCTIONS[function]["Role"] == {"Fn::GetAtt": [f"{function}Role", "Arn"]}


def test_items_are_decrypted_with_the_key_of_the_table_that_is_read() -> None:
    statements = RESOURCES["PrepareRecordsRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]  # fmt: skip
    chosen = [each["Fn::If"] for each in statements if "Fn::If" in each]
    keys = {condition: statement["Resource"] for condition, statement, _ in chosen if "Encrypted" in condition}  # fmt: skip
    assert keys == {"ScansEncryptedTable": {"Ref": "TableKeyArn"}, "ScansEncryptedReplica": {"Ref": "ReplicaKeyArn"}}  # fmt: skip
    assert {"Condition": "ReadsReplica"} in TEMPLATE["Conditions"]["ScansEncryptedReplica"]["Fn::And"]  # fmt: skip


def test_the_last_try_of_a_slow_endpoint_ends_before_the_function_does() -> None:
    timeout = FUNCTIONS["ScoreDynamodbStream"]["Timeout"]
    assert RESERVE * timeout > ENDPOINT_ANSWER_SECONDS + CONNECT_SECONDS


def test_what_only_glue_needs_is_made_for_glue_only() -> None:
    """Without it, no role may export the table or run the job; with it, none may scan."""
    conditional = {name for name, each in RESOURCES.items() if each.get("Condition") == "UsesGlue"}
    for_glue = {"StartExport", "GetExportStatus", "StartPreparationJob", "GetPreparationJobStatus", "StopPreparationJob", "PreparationJob"}  # fmt: skip
    assert conditional == for_glue | {f"{name}Role" for name in for_glue}
    statements = RESOURCES["PrepareRecordsRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]  # fmt: skip
    assert statements[0]["Fn::If"][0] == "UsesGlue"
    assert statements[0]["Fn::If"][1] == {"Ref": "AWS::NoValue"}
    assert statements[0]["Fn::If"][2]["Sid"] == "ReadTable"


def test_a_deployment_is_rolled_back_by_an_alarm_of_this_stack() -> None:
    named = FUNCTIONS["DeployModel"]["Environment"]["Variables"]["ROLLBACK_ALARMS"]
    assert named == RESOURCES["ScoringAlarm"]["Properties"]["AlarmName"]


def test_the_stack_of_forests_reads_and_alarms_as_that_of_an_endpoint_does() -> None:
    forests = read_template(PROJECT / "stacks" / "table_forest.yaml")
    shared = forests["Resources"].keys() & RESOURCES.keys() - {
        "ScoreDynamodbStream", "ScoreDynamodbStreamRole", "CloseTableIncidents", "QueuesOnlyOverTls"
    }  # fmt: skip
    assert {name: forests["Resources"][name] for name in shared} == {
        name: RESOURCES[name] for name in shared
    }
    assert forests["Resources"].keys() - RESOURCES.keys() == {
        "EveryMinute",
        "EveryMinutePermission",
    }
    described = {name: {**each, "Description": ""} for name, each in forests["Parameters"].items()}
    assert described == {
        name: {**TEMPLATE["Parameters"][name], "Description": ""} for name in described
    }
    assert "sagemaker" not in json.dumps(forests)


def test_the_mapping_leaves_deletions_out_and_reports_failures() -> None:
    mapping = RESOURCES["Changes"]["Properties"]
    [criterion] = mapping["FilterCriteria"]["Filters"]
    assert json.loads(criterion["Pattern"]) == {"eventName": ["INSERT", "MODIFY"]}
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["DestinationConfig"]["OnFailure"]
