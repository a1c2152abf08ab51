"""Nobody may do more than it has to."""

import re
from collections.abc import Iterator

import pytest

from tests.support.permissions import Statement, listed
from tests.support.stack import ACCOUNT, FUNCTION, TEMPLATE, Stack

# Where AWS offers no narrower resource. The template says so too, in a comment on each.
ANY_RESOURCE = {
    ("CheckFreshnessRole", "PublishMetrics"): "PutMetricData knows none; held to our namespace",
    ("DrawWidgetRole", "ReadMetrics"): "GetMetricData knows none",
    ("FunctionBasicsPolicy", "Trace"): "X-Ray's write actions know no resource",
    ("ListDetectorsRole", "ExpandTemplates"): "ListMetrics knows none",
    ("PublishAnomaliesRole", "PublishMetrics"): "PutMetricData knows none; held to our namespace",
    ("RetireDetectorsRole", "ExpandTemplates"): "ListMetrics knows none",
    ("SageMakerRole", "JoinTheVpc"): "network interfaces that do not exist yet",
    ("SageMakerRole", "GetRegistryToken"): "ECR's token knows none",
    ("SageMakerRole", "PublishMetricsOfJobs"): "PutMetricData knows none; held to SageMaker's",
    ("StoreMetricDataRole", "ReadMetrics"): "GetMetricData and ListMetrics know none",
    ("SummarizeRunRole", "PublishMetrics"): "PutMetricData knows none; held to our namespace",
    ("StateMachineBasicsPolicy", "TraceAndLog"): "X-Ray and log delivery know none",
}


@pytest.fixture(scope="module")
def guarded() -> Stack:
    """With everything switched on that adds statements."""
    return Stack(
        KmsKeyArn="arn:aws:kms:us-east-1:123456789012:key/1c2d",
        PermissionsBoundaryArn="arn:aws:iam::123456789012:policy/boundary",
        SubnetIds="subnet-1",
        SecurityGroupIds="sg-1",
    )


def all_statements(stack: Stack) -> Iterator[tuple[str, Statement]]:
    for role in stack.resources("AWS::IAM::Role"):
        for policy in stack.properties(role)["Policies"]:
            yield from ((role, statement) for statement in policy["PolicyDocument"]["Statement"])
    for policy in stack.resources("AWS::IAM::ManagedPolicy"):
        document = stack.properties(policy)["PolicyDocument"]
        yield from ((policy, statement) for statement in document["Statement"])


def test_any_resource_is_allowed_only_where_there_is_a_reason(guarded: Stack) -> None:
    found = {
        (owner, statement["Sid"])
        for owner, statement in all_statements(guarded)
        if "*" in listed(statement["Resource"])
    }
    assert found == set(ANY_RESOURCE)


def test_the_template_explains_every_statement_on_any_resource() -> None:
    lines = TEMPLATE.read_text().splitlines()
    numbers = [n for n, line in enumerate(lines) if re.search(r'\bResource: "\*"', line)]
    assert len(numbers) == len(ANY_RESOURCE)
    for number in numbers:
        sid = next(n for n in range(number, 0, -1) if "Sid: " in lines[n])
        explained = lines[sid - 1].lstrip().startswith("#")
        assert explained, f"template.yaml line {sid + 1} has no comment"


def test_nested_stacks_have_no_roles_functions_or_policies(stack: Stack) -> None:
    kinds = {
        each["Type"]
        for nested in stack.nested_stacks
        for each in nested.template["Resources"].values()
    }
    assert kinds == {"AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard"}


def test_every_action_is_named(guarded: Stack) -> None:
    wild = [
        (owner, action)
        for owner, statement in all_statements(guarded)
        for action in listed(statement["Action"])
        if "*" in action
    ]
    assert wild == []


def test_every_statement_says_what_it_is_for(guarded: Stack) -> None:
    assert all(statement.get("Sid") for _, statement in all_statements(guarded))


def test_metrics_are_published_to_our_own_namespace_only(guarded: Stack) -> None:
    publishing = [s for _, s in all_statements(guarded) if s["Sid"] == "PublishMetrics"]

    assert publishing
    for statement in publishing:
        assert statement["Condition"] == {"StringEquals": {"cloudwatch:namespace": "Cutwatch"}}


def test_a_role_is_handed_to_sagemaker_and_nobody_else(guarded: Stack) -> None:
    passing = [s for _, s in all_statements(guarded) if s["Action"] == "iam:PassRole"]

    assert passing
    for statement in passing:
        assert statement["Resource"] == guarded.arn("SageMakerRole")
        assert statement["Condition"] == {
            "StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}
        }


def test_every_role_takes_the_permissions_boundary(guarded: Stack) -> None:
    for role in guarded.resources("AWS::IAM::Role"):
        boundary = guarded.properties(role)["PermissionsBoundary"]
        assert boundary == "arn:aws:iam::123456789012:policy/boundary"


def test_no_role_is_shared_by_two_functions(stack: Stack) -> None:
    roles = [str(function["Role"]) for function in stack.resources(FUNCTION).values()]
    assert len(roles) == len(set(roles))


def test_only_our_jobs_and_models_are_touched(guarded: Stack) -> None:
    for _, statement in all_statements(guarded):
        if any(action.startswith("sagemaker:") for action in listed(statement["Action"])):
            for resource in listed(statement["Resource"]):
                assert re.search(r":(training-job|transform-job|model)/cutwatch-\*$", resource)


def test_the_bucket_is_encrypted_and_closed_to_the_public(stack: Stack) -> None:
    bucket = stack.properties("DataBucket")

    [rule] = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}


@pytest.mark.parametrize(
    "policy",
    [
        "DataBucketPolicy",
        "NotificationTopicPolicy",
        "OperationsTopicPolicy",
        "UndeliveredEventsPolicy",
    ],
)
def test_bucket_topic_and_queue_take_no_request_without_tls(stack: Stack, policy: str) -> None:
    [denied] = [s for s in _policy(stack, policy) if s["Effect"] == "Deny"]
    assert denied["Principal"] == "*"
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


@pytest.mark.parametrize("topic", ["NotificationTopic", "OperationsTopic"])
def test_alarms_of_this_account_may_publish_to_the_topics_and_nobody_else(
    stack: Stack, topic: str
) -> None:
    [allowed] = [s for s in _policy(stack, f"{topic}Policy") if s["Effect"] == "Allow"]
    assert allowed["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert (allowed["Action"], allowed["Resource"]) == ("sns:Publish", stack.arn(topic))
    assert allowed["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}


def test_only_our_rules_bury_events(stack: Stack) -> None:
    [allowed] = [s for s in _policy(stack, "UndeliveredEventsPolicy") if s["Effect"] == "Allow"]
    assert allowed["Principal"] == {"Service": "events.amazonaws.com"}
    rules = stack.resources("AWS::Events::Rule")
    assert allowed["Condition"] == {"ArnEquals": {"aws:SourceArn": [stack.arn(r) for r in rules]}}
    for rule in rules:
        for target in stack.properties(rule)["Targets"]:
            assert target["DeadLetterConfig"] == {"Arn": stack.arn("UndeliveredEvents")}


@pytest.mark.parametrize("resource", ["NotificationTopic", "OperationsTopic", "UndeliveredEvents"])
def test_topics_and_queue_are_encrypted_with_the_key_that_is_given(
    guarded: Stack, resource: str
) -> None:
    assert guarded.properties(resource)["KmsMasterKeyId"].endswith("key/1c2d")


def _policy(stack: Stack, logical_id: str) -> list[Statement]:
    statements: list[Statement] = stack.properties(logical_id)["PolicyDocument"]["Statement"]
    return statements
