"""What every state machine must have, whatever it does."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from cutwatch import errors
from cutwatch.aws.clients import client
from cutwatch.aws.limits import EXECUTION_HISTORY_MAX_EVENTS, SNS_SUBJECT_MAX_LENGTH
from tests.support.definitions import (
    LAMBDA,
    State,
    all_states,
    definition,
    lambda_of,
    located_states,
    successors,
    text,
)
from tests.support.project import PROJECT
from tests.support.stack import STATE_MACHINE, Stack, snake

MACHINES = ("training", "transform")
TRANSIENT = {"Throttled", "ServiceFault", "ConnectionLost"}
JOB_STARTS = {"Start Training Job", "Start Transform Job", "Create Model"}

WITHOUT_CATCH = {
    "List Detectors": "without detectors there is no run; its own reason is the execution's",
    "Summarize Run": "a run that cannot be summarized must fail, or nobody hears of it",
}
# Names that AWS itself gives to errors; everything else must be a class of ours.
NAMED_BY_AWS = re.compile(r"(States|Lambda|Sandbox|Runtime|StepFunctions)\.\w+")

# Wait, task and choice of one round of polling, as Step Functions writes them into the history.
EVENTS_OF_A_POLL = 2 + 5 + 2


def states_of_type(kind: str) -> Iterator[tuple[str, str, State]]:
    for machine in MACHINES:
        for name, state in all_states(definition(machine)):
            if state["Type"] == kind:
                yield machine, name, state


TASKS = [
    pytest.param(state, id=f"{machine}: {name}") for machine, name, state in states_of_type("Task")
]
LAMBDA_TASKS = [
    pytest.param(name, state, id=f"{machine}: {name}")
    for machine, name, state in states_of_type("Task")
    if LAMBDA.fullmatch(state["Resource"])
]


@pytest.mark.parametrize("machine", MACHINES)
def test_every_state_says_in_a_comment_why_it_is_there(machine: str) -> None:
    silent = [name for name, state in all_states(definition(machine)) if not state.get("Comment")]
    assert silent == []


@pytest.mark.parametrize("machine", MACHINES)
def test_the_whole_execution_is_bounded_in_time(machine: str) -> None:
    assert definition(machine)["TimeoutSeconds"] > 0


@pytest.mark.parametrize("state", TASKS)
def test_every_task_is_bounded_in_time(state: State) -> None:
    assert state["TimeoutSeconds"] > 0


@pytest.mark.parametrize(("name", "state"), LAMBDA_TASKS)
def test_a_task_waits_longer_than_its_function_may_run(
    stack: Stack, name: str, state: State
) -> None:
    function = stack.resources("AWS::Serverless::Function")[lambda_of(state)]
    allowed = function.get("Timeout", stack.template["Globals"]["Function"]["Timeout"])

    assert state["TimeoutSeconds"] > allowed


@pytest.mark.parametrize("state", TASKS)
def test_every_retry_names_its_errors_backs_off_and_spreads_out(state: State) -> None:
    assert state["Retry"]
    for retrier in state["Retry"]:
        assert "States.ALL" not in retrier["ErrorEquals"]
        assert retrier["MaxAttempts"] > 0
        assert retrier["BackoffRate"] > 1
        assert retrier["JitterStrategy"] == "FULL"


@pytest.mark.parametrize("state", TASKS)
def test_every_retried_error_is_a_class_of_ours_or_named_by_aws(state: State) -> None:
    for retrier in state["Retry"]:
        for name in retrier["ErrorEquals"]:
            assert NAMED_BY_AWS.fullmatch(name) or issubclass(
                getattr(errors, name), errors.CutwatchError
            )


@pytest.mark.parametrize(("name", "state"), LAMBDA_TASKS)
def test_every_function_is_retried_after_transient_errors(name: str, state: State) -> None:
    assert set(state["Retry"][0]["ErrorEquals"]) >= TRANSIENT


@pytest.mark.parametrize(("name", "state"), LAMBDA_TASKS)
def test_every_function_is_retried_alike_after_transient_errors(name: str, state: State) -> None:
    assert (
        state["Retry"][0] == dict(all_states(definition("training")))["List Detectors"]["Retry"][0]
    )


# What a state of one name does differently in the two machines; every other state is the same in both.
DIFFERENT = {
    "All Failed?": {"Choices"},
    "Alone In Its Batch": {"Next"},
    "Any For SageMaker?": {"Default"},
    "List Detectors": {"Next", "Parameters"},
    "Read Limits": {"Parameters"},
    "Start Transform Job": {"Parameters"},
    "Store Metric Data": {"Comment", "Next", "Parameters"},
    "Transform Job Status?": {"Choices"},
    "Which Engine Is Done?": {"Default"},
    "With Lambda": {"Next"},
    "With SageMaker": {"Next"},
}


def test_states_of_one_name_are_equal_in_both_machines_but_for_what_is_listed() -> None:
    training, transform = (dict(all_states(definition(machine))) for machine in MACHINES)
    shared = training.keys() & transform.keys()
    differences = {
        name: {
            key
            for key in training[name].keys() | transform[name].keys()
            if training[name].get(key) != transform[name].get(key)
        }
        for name in shared
    }

    assert {name: keys for name, keys in differences.items() if keys} == DIFFERENT
    assert len(shared) - len(DIFFERENT) == 11


BATCH_TASKS = {
    "Store Metric Data",
    "Train Forest",
    "Register Model",
    "Score Forest",
    "Publish Anomalies",
}
# They end a wait for a quota that an earlier try recorded.
TASKS_OF_QUOTAS = {"Start Training Job", "Start Transform Job"}


@pytest.mark.parametrize(("name", "state"), LAMBDA_TASKS)
def test_functions_of_batches_and_quotas_and_no_others_learn_which_try_it_is(
    name: str, state: State
) -> None:
    parameters = state["Parameters"]

    told = name in BATCH_TASKS | TASKS_OF_QUOTAS
    assert (parameters.get("retries.$") == "$$.State.RetryCount") == told
    reads = (PROJECT / "functions" / f"{snake(lambda_of(state))}.py").read_text()
    assert ("is_last_try(event)" in reads) == (name in BATCH_TASKS)


@pytest.mark.parametrize(("name", "state"), LAMBDA_TASKS)
def test_a_batchs_functions_know_the_last_try_and_none_before_it(name: str, state: State) -> None:
    """All errors of one state count together in RetryCount: one retrier, and its number is ours."""
    if name in BATCH_TASKS:
        assert [retrier["MaxAttempts"] for retrier in state["Retry"]] == [errors.TRANSIENT_RETRIES]


@pytest.mark.parametrize(("name", "state"), LAMBDA_TASKS)
def test_no_retrier_of_transient_errors_gives_up_before_the_last_try_is_known(
    name: str, state: State
) -> None:
    retriers = [each for each in state["Retry"] if TRANSIENT & set(each["ErrorEquals"])]
    assert min(each["MaxAttempts"] for each in retriers) >= errors.TRANSIENT_RETRIES


@pytest.mark.parametrize(("name", "state"), LAMBDA_TASKS)
def test_only_what_needs_a_quota_waits_for_it_and_longer_than_for_anything_else(
    name: str, state: State
) -> None:
    patient = [r for r in state["Retry"] if "QuotaExceeded" in r["ErrorEquals"]]

    assert bool(patient) == (name in JOB_STARTS)
    for retrier in patient:
        others = [r for r in state["Retry"] if r is not retrier]
        assert retrier["IntervalSeconds"] > max(r["MaxDelaySeconds"] for r in others)


@pytest.mark.parametrize("machine", MACHINES)
def test_every_task_catches_what_retries_do_not_cure(machine: str) -> None:
    tasks = {n: s for n, s in all_states(definition(machine)) if s["Type"] in ("Task", "Map")}
    assert {name for name, state in tasks.items() if "Catch" not in state} == set(WITHOUT_CATCH)


@pytest.mark.parametrize("machine", MACHINES)
def test_every_error_in_a_detectors_part_is_recorded_with_its_cause(machine: str) -> None:
    children = [
        (name, state)
        for flow, name, state in located_states(definition(machine))
        if "ProcessorConfig" in flow and state["Type"] == "Task"
    ]
    for name, state in children:
        [catcher] = state["Catch"]
        assert catcher["ErrorEquals"] == ["States.ALL"]
        if not name.startswith(("Record", "Stop")):
            assert (catcher["Next"], catcher["ResultPath"]) == ("Record Outcome", "$.result")


@pytest.mark.parametrize("machine", MACHINES)
def test_every_state_can_be_reached_and_nothing_leads_nowhere(machine: str) -> None:
    flows = [definition(machine)]
    flows += [s["ItemProcessor"] for _, s in all_states(flows[0]) if "ItemProcessor" in s]
    for flow in flows:
        reachable, frontier = set(), {flow["StartAt"]}
        while frontier:
            reachable |= frontier
            frontier = set().union(*(successors(flow["States"][n]) for n in frontier)) - reachable
        assert reachable == set(flow["States"])


@pytest.mark.parametrize("machine", MACHINES)
def test_every_substitution_is_declared_and_every_declared_one_used(
    stack: Stack, machine: str
) -> None:
    state_machine = stack.resources(STATE_MACHINE)[f"{machine.capitalize()}StateMachine"]
    used = set(re.findall(r"\$\{(\w+)\}", text(machine)))

    assert used == set(state_machine["DefinitionSubstitutions"])


@pytest.mark.parametrize("machine", MACHINES)
def test_every_function_is_substituted_under_its_own_name(stack: Stack, machine: str) -> None:
    state_machine = stack.resources(STATE_MACHINE)[f"{machine.capitalize()}StateMachine"]
    for name, value in state_machine["DefinitionSubstitutions"].items():
        if "Fn::GetAtt" in value:
            assert value == {"Fn::GetAtt": [name.removesuffix("Arn"), "Arn"]}


@pytest.mark.parametrize("machine", MACHINES)
def test_a_state_machine_may_invoke_its_own_functions_and_no_other(
    stack: Stack, machine: str
) -> None:
    name = f"{machine.capitalize()}StateMachine"
    substitutions = stack.resources(STATE_MACHINE)[name]["DefinitionSubstitutions"].values()
    own = {stack.value(value) for value in substitutions if "Fn::GetAtt" in value}
    statements = stack.properties(f"{name}Role")["Policies"][0]["PolicyDocument"]["Statement"]

    [invoke] = [s for s in statements if s["Action"] == "lambda:InvokeFunction"]
    assert set(invoke["Resource"]) == own


def statuses(kind: str) -> set[str]:
    shape: Any = client("sagemaker").meta.service_model.shape_for(f"{kind}JobStatus")
    return set(shape.enum)


def routed(choice: State) -> dict[str, str]:
    """Status to next state, as long as the deadline has not passed."""
    routes: dict[str, str] = {}
    for branch in choice["Choices"]:
        for test in branch.get("Or", [branch]):
            if "StringEquals" in test:
                routes.setdefault(test["StringEquals"], branch["Next"])
    return routes


@pytest.mark.parametrize(
    ("machine", "kind"),
    [("training", "Training"), ("training", "Transform"), ("transform", "Transform")],
)
def test_every_status_that_sagemaker_knows_has_a_way_out(machine: str, kind: str) -> None:
    choice = dict(all_states(definition(machine)))[f"{kind} Job Status?"]

    assert set(routed(choice)) == statuses(kind)
    assert choice["Default"] == f"{kind} Job Failed"
    waiting = {s for s, following in routed(choice).items() if following.startswith("Wait For")}
    assert waiting == {"InProgress", "Stopping"}


@pytest.mark.parametrize(
    ("machine", "kind"),
    [("training", "Training"), ("training", "Transform"), ("transform", "Transform")],
)
def test_the_deadline_is_looked_at_before_a_job_is_waited_for_again(
    machine: str, kind: str
) -> None:
    choice = dict(all_states(definition(machine)))[f"{kind} Job Status?"]
    following = [branch["Next"] for branch in choice["Choices"]]

    assert following.index(f"Stop {kind} Job") < following.index(f"Wait For {kind} Job")


def test_the_longest_deadlines_fit_into_one_childs_history(stack: Stack) -> None:
    minutes = sum(stack.bounds(f"{kind}DeadlineMinutes")[1] for kind in ("Training", "Transform"))
    polls = minutes * 60 / stack.bounds("PollSeconds")[0]

    assert polls * EVENTS_OF_A_POLL < EXECUTION_HISTORY_MAX_EVENTS


@pytest.mark.parametrize("machine", MACHINES)
def test_subjects_of_notifications_fit(machine: str) -> None:
    for _, state in all_states(definition(machine)):
        subject = state.get("Parameters", {}).get("Subject", "")
        assert len(subject) <= SNS_SUBJECT_MAX_LENGTH


@pytest.mark.parametrize("machine", MACHINES)
def test_a_failed_detector_never_fails_the_map(machine: str) -> None:
    maps = [state for _, state in all_states(definition(machine)) if state["Type"] == "Map"]
    assert [state["ToleratedFailurePercentage"] for state in maps] == [100]


@pytest.mark.parametrize("machine", MACHINES)
def test_children_hand_nothing_back_that_could_outgrow_a_payload(machine: str) -> None:
    [fleet] = [state for _, state in all_states(definition(machine)) if state["Type"] == "Map"]
    ends = [s for s in fleet["ItemProcessor"]["States"].values() if s.get("End")]

    assert [end["Result"] for end in ends] == [0]
    assert fleet["ResultPath"] is None
