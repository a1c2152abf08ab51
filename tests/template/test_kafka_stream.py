"""The stack of a Kafka topic: its mapping and its role for every way to sign in, exactly."""

import json
from typing import Any

import pytest

from cutwatch.settings import ReportHourSettings, Settings, StreamSettings, TrainLogSettings
from cutwatch_cli.stacks.stream_stacks import STREAM_OUTPUTS
from localaws.template_file import read_template
from tests.support.dashboard_schema import problems
from tests.support.project import PROJECT
from tests.support.stack import ACCOUNT, REGION, Stack

TEMPLATE = PROJECT / "stacks" / "kafka_stream.yaml"
CLUSTER = f"arn:aws:kafka:{REGION}:{ACCOUNT}:cluster/shop/5a1f7c2e-3"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:AmazonMSK_shop-a1b2c3"
ROOT_CA = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:ca-a1b2c3"
COMMON = {"StreamName": "shop", "BaseStack": "cutwatch", "Topic": "shop-access"}
MSK = COMMON | {"MskClusterArn": CLUSTER}
SELF_MANAGED = COMMON | {
    "BootstrapServers": "kafka-1.example.com:9093,kafka-2.example.com:9093",
    "SecretArn": SECRET,
    "FirstSubnetId": "subnet-0a1b2c3d",
    "SecondSubnetId": "subnet-0d3c2b1a",
    "SecurityGroupId": "sg-0a1b2c3d",
}
NETWORK = {
    "Sid": "ReachBrokers",
    "Effect": "Allow",
    "Action": [
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
    ],
    "Resource": "*",
}
BROKERS = {
    "Sid": "FindBrokers",
    "Effect": "Allow",
    "Action": ["kafka:DescribeClusterV2", "kafka:GetBootstrapBrokers"],
    "Resource": CLUSTER,
}
SCRAM_SECRETS = {
    "Sid": "FindSecrets",
    "Effect": "Allow",
    "Action": "kafka:ListScramSecrets",
    "Resource": CLUSTER,
}
IAM = {
    "Sid": "ReadTopicAndCommit",
    "Effect": "Allow",
    "Action": [
        "kafka-cluster:Connect",
        "kafka-cluster:DescribeGroup",
        "kafka-cluster:AlterGroup",
        "kafka-cluster:DescribeTopic",
        "kafka-cluster:ReadData",
        "kafka-cluster:DescribeClusterDynamicConfiguration",
    ],
    "Resource": [
        CLUSTER,
        f"arn:aws:kafka:{REGION}:{ACCOUNT}:topic/shop/5a1f7c2e-3/shop-access",
        f"arn:aws:kafka:{REGION}:{ACCOUNT}:group/shop/5a1f7c2e-3/cutwatch-shop",
    ],
}
SIGN_IN = {
    "Sid": "SignIn",
    "Effect": "Allow",
    "Action": "secretsmanager:GetSecretValue",
    "Resource": [SECRET],
}


def resolved(parameters: dict[str, str], logical_id: str) -> dict[str, Any]:
    properties: dict[str, Any] = Stack("cutwatch-shop", TEMPLATE, **parameters).properties(
        logical_id
    )
    return properties


def own_statements(parameters: dict[str, str]) -> list[dict[str, Any]]:
    """Return the statements of the scoring function's role that its source decides."""
    policy = resolved(parameters, "ScoreKafkaRole")["Policies"][0]["PolicyDocument"]
    return [each for each in policy["Statement"] if each["Sid"] != "DeclareLostRecords"]


@pytest.mark.parametrize(
    ("parameters", "statements"),
    [
        (MSK, [BROKERS, IAM, NETWORK]),
        (MSK | {"Authentication": "SASL-SCRAM-512", "SecretArn": SECRET}, [BROKERS, SCRAM_SECRETS, SIGN_IN, NETWORK]),
        (MSK | {"Authentication": "MTLS", "SecretArn": SECRET}, [BROKERS, SIGN_IN, NETWORK]),
        (SELF_MANAGED | {"Authentication": "SASL-SCRAM-256"}, [SIGN_IN, NETWORK]),
        (
            SELF_MANAGED | {"Authentication": "SASL-PLAIN", "FirstSubnetId": "", "SecondSubnetId": "", "RootCaSecretArn": ROOT_CA},
            [SIGN_IN | {"Resource": [SECRET, ROOT_CA]}],
        ),
    ],
    ids=["MSK, IAM", "MSK, SCRAM", "MSK, mTLS", "self-managed in a VPC", "self-managed on the internet"],
)  # fmt: skip
def test_the_role_reads_its_source_and_nothing_else(
    parameters: dict[str, str], statements: list[dict[str, Any]]
) -> None:
    assert own_statements(parameters) == statements


def test_the_scoring_function_may_ask_its_endpoint_and_no_other() -> None:
    [first, *others] = own_statements(MSK | {"EndpointName": "shop-log"})
    assert first == {
        "Sid": "Score",
        "Effect": "Allow",
        "Action": "sagemaker:InvokeEndpoint",
        "Resource": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/shop-log",
    }
    assert others == [BROKERS, IAM, NETWORK]
    assert "sagemaker" not in str(resolved(MSK | {"EndpointName": "shop-log"}, "CloseWindowsRole"))


def test_the_scoring_function_knows_its_endpoint() -> None:
    function = resolved(MSK | {"EndpointName": "shop-log"}, "ScoreKafka")
    assert function["Environment"]["Variables"]["ENDPOINT_NAME"] == "shop-log"


def test_a_mapping_of_msk_signs_in_by_iam() -> None:
    mapping = resolved(MSK, "Records")
    assert mapping["EventSourceArn"] == CLUSTER
    assert mapping["AmazonManagedKafkaEventSourceConfig"] == {"ConsumerGroupId": "cutwatch-shop"}
    for name in ("SourceAccessConfigurations", "SelfManagedEventSource", "SelfManagedKafkaEventSourceConfig"):  # fmt: skip
        assert name not in mapping


def test_a_mapping_of_a_self_managed_cluster_has_its_network_and_secrets() -> None:
    mapping = resolved(SELF_MANAGED | {"Authentication": "MTLS", "RootCaSecretArn": ROOT_CA}, "Records")  # fmt: skip
    assert mapping["SelfManagedEventSource"]["Endpoints"]["KafkaBootstrapServers"] == (
        ["kafka-1.example.com:9093", "kafka-2.example.com:9093"]
    )
    assert mapping["SourceAccessConfigurations"] == [
        {"Type": "CLIENT_CERTIFICATE_TLS_AUTH", "URI": SECRET},
        {"Type": "SERVER_ROOT_CA_CERTIFICATE", "URI": ROOT_CA},
        {"Type": "VPC_SUBNET", "URI": "subnet:subnet-0a1b2c3d"},
        {"Type": "VPC_SUBNET", "URI": "subnet:subnet-0d3c2b1a"},
        {"Type": "VPC_SECURITY_GROUP", "URI": "security_group:sg-0a1b2c3d"},
    ]
    assert "EventSourceArn" not in mapping


@pytest.mark.parametrize("parameters", [MSK, SELF_MANAGED | {"Authentication": "MTLS"}])
def test_every_mapping_reports_partial_failures_in_provisioned_mode(
    parameters: dict[str, str],
) -> None:
    mapping = resolved(parameters, "Records")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert set(mapping["ProvisionedPollerConfig"]) == {"MinimumPollers", "MaximumPollers"}
    assert mapping["Topics"] == ["shop-access"]
    assert "OnFailure" in mapping["DestinationConfig"]


TOPICS = {"SecondTopic": "shop-api", "ThirdTopic": "shop-admin"}


def test_mappings_of_several_topics_differ_in_topic_and_group_only() -> None:
    for cluster, group in (
        (MSK, "AmazonManagedKafkaEventSourceConfig"),
        (SELF_MANAGED | {"Authentication": "MTLS"}, "SelfManagedKafkaEventSourceConfig"),
    ):
        first, *others = [
            resolved(cluster | TOPICS, name)
            for name in ("Records", "RecordsOfSecondTopic", "RecordsOfThirdTopic")
        ]
        for topic, other in zip(TOPICS.values(), others, strict=True):
            own = {"Topics": [topic], group: {"ConsumerGroupId": f"cutwatch-shop:{topic}"}}
            assert other == first | own
        assert first["ProvisionedPollerConfig"]["PollerGroupName"] == "cutwatch-shop"


def test_topics_that_are_not_given_have_no_mapping_and_share_no_pollers() -> None:
    resources = read_template(TEMPLATE)["Resources"]
    assert resources["RecordsOfSecondTopic"]["Condition"] == "HasSecondTopic"
    assert resources["RecordsOfThirdTopic"]["Condition"] == "HasThirdTopic"
    assert "PollerGroupName" not in resolved(MSK, "Records")["ProvisionedPollerConfig"]


def test_pollers_are_shared_within_a_vpc_only() -> None:
    public = SELF_MANAGED | TOPICS | {"FirstSubnetId": "", "Authentication": "SASL-PLAIN"}
    assert "PollerGroupName" not in resolved(public, "Records")["ProvisionedPollerConfig"]


@pytest.mark.parametrize(
    ("parameters", "source"),
    [
        (MSK, "kafka:shop-access"),
        (MSK | {"SecondTopic": "shop-api"}, "kafka:shop-access,shop-api"),
        (MSK | {"ThirdTopic": "shop-admin"}, "kafka:shop-access,shop-admin"),
        (MSK | TOPICS, "kafka:shop-access,shop-api,shop-admin"),
    ],
)
def test_functions_and_operators_know_every_topic(parameters: dict[str, str], source: str) -> None:
    stack = Stack("cutwatch-shop", TEMPLATE, **parameters)
    assert stack.environment("ScoreKafka")["STREAM_ARN"] == source
    assert stack.value(stack.template["Outputs"]["StreamArn"]["Value"]) == source


def test_iam_reads_every_topic_by_its_own_group() -> None:
    [_, iam, _] = own_statements(MSK | TOPICS)
    prefix = f"arn:aws:kafka:{REGION}:{ACCOUNT}"
    added = [
        arn
        for topic in TOPICS.values()
        for arn in (
            f"{prefix}:topic/shop/5a1f7c2e-3/{topic}",
            f"{prefix}:group/shop/5a1f7c2e-3/cutwatch-shop:{topic}",
        )
    ]
    assert iam == IAM | {"Resource": [*IAM["Resource"], *added]}


def test_a_group_of_ones_own_is_extended_by_the_other_topics() -> None:
    parameters = MSK | TOPICS | {"ConsumerGroupId": "logs"}
    groups = [
        resolved(parameters, name)["AmazonManagedKafkaEventSourceConfig"]["ConsumerGroupId"]
        for name in ("Records", "RecordsOfSecondTopic", "RecordsOfThirdTopic")
    ]
    assert groups == ["logs", "logs:shop-api", "logs:shop-admin"]
    [_, iam, _] = own_statements(parameters)
    assert [each.rpartition("/")[2] for each in iam["Resource"] if ":group/" in each] == groups


def test_the_alarm_on_records_lost_elsewhere_counts_those_of_every_topic() -> None:
    parameters = MSK | TOPICS | {"LostRecordsDestination": "arn:aws:s3:::lost-records"}
    [expression, *counted] = resolved(parameters, "LostRecordsElsewhereAlarm")["Metrics"]
    assert expression["Expression"] == "FILL(first, 0) + FILL(second, 0) + FILL(third, 0)"
    assert [each["MetricStat"]["Metric"]["Dimensions"][0]["Value"] for each in counted] == [
        "cutwatch-shop-Records", "cutwatch-shop-RecordsOfSecondTopic", "cutwatch-shop-RecordsOfThirdTopic"
    ]  # fmt: skip
    [alone, _] = resolved(parameters | {"SecondTopic": "", "ThirdTopic": ""}, "LostRecordsElsewhereAlarm")["Metrics"]  # fmt: skip
    assert alone["Expression"] == "FILL(first, 0)"


def test_only_their_age_gives_records_up_while_no_model_serves() -> None:
    """An outage of minutes uses up ten retries, to which Lambda limits a mapping with -1 and a destination."""
    mapping = resolved(MSK, "Records")
    assert (mapping["MaximumRetryAttempts"], mapping["MaximumRecordAgeInSeconds"]) == ("10000", "72000")  # fmt: skip


def refusals(parameters: dict[str, str]) -> list[str]:
    """Return the sentences with which the rules of the template refuse parameters."""
    stack = Stack("cutwatch-shop", TEMPLATE, **parameters)
    return [
        assertion["AssertDescription"]
        for rule in stack.template["Rules"].values()
        if stack.value(rule.get("RuleCondition", True))
        for assertion in rule["Assertions"]
        if not stack.value(assertion["Assert"])
    ]


SCRAM = {"Authentication": "SASL-SCRAM-512", "SecretArn": SECRET}


@pytest.mark.parametrize(
    "parameters",
    [
        MSK,
        MSK | TOPICS,
        MSK | SCRAM,
        MSK | {"Authentication": "MTLS", "SecretArn": SECRET},
        SELF_MANAGED | SCRAM,
        SELF_MANAGED | {"Authentication": "SASL-SCRAM-256", "SecondSubnetId": ""},
        SELF_MANAGED | {"Authentication": "MTLS", "RootCaSecretArn": ROOT_CA},
        COMMON | {"BootstrapServers": "b:9093", "Authentication": "SASL-PLAIN", "SecretArn": SECRET},
    ],
)  # fmt: skip
def test_every_kind_of_cluster_and_authentication_is_taken(parameters: dict[str, str]) -> None:
    assert refusals(parameters) == []


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        (COMMON | SCRAM, "Give MskClusterArn for a cluster in MSK, or BootstrapServers for a self-managed one."),
        (MSK | {"BootstrapServers": "b:9093"}, "Give MskClusterArn for a cluster in MSK, or BootstrapServers for a self-managed one."),
        (SELF_MANAGED | {"SecretArn": ""}, "IAM signs in to MSK, and needs no SecretArn."),
        (MSK | {"SecretArn": SECRET}, "IAM signs in to MSK, and needs no SecretArn."),
        (MSK | {"Authentication": "SASL-SCRAM-512"}, "Every authentication but IAM needs SecretArn."),
        (SELF_MANAGED | {"Authentication": "MTLS", "SecretArn": ""}, "Every authentication but IAM needs SecretArn."),
        (MSK | SCRAM | {"Authentication": "SASL-SCRAM-256"}, "MSK takes the authentications IAM, SASL-SCRAM-512 and MTLS."),
        (MSK | SCRAM | {"Authentication": "SASL-PLAIN"}, "MSK takes the authentications IAM, SASL-SCRAM-512 and MTLS."),
        (MSK | {"RootCaSecretArn": ROOT_CA}, "RootCaSecretArn belongs to a self-managed cluster; MSK has public certificates."),
        *(
            (each, "A network belongs to a self-managed cluster, and has FirstSubnetId and SecurityGroupId.")
            for each in (
                SELF_MANAGED | SCRAM | {"SecurityGroupId": ""},
                SELF_MANAGED | SCRAM | {"FirstSubnetId": ""},
                SELF_MANAGED | SCRAM | {"FirstSubnetId": "", "SecondSubnetId": ""},
                MSK | {"FirstSubnetId": "subnet-0a1b2c3d", "SecurityGroupId": "sg-0a1b2c3d"},
            )
        ),
        *(
            (MSK | each, "Topic, SecondTopic and ThirdTopic are different topics.")
            for each in (
                {"SecondTopic": "shop-access"},
                {"ThirdTopic": "shop-access"},
                {"SecondTopic": "shop-api", "ThirdTopic": "shop-api"},
            )
        ),
    ],
)  # fmt: skip
def test_parameters_that_do_not_fit_are_refused_with_one_sentence_before_anything_is_made(
    parameters: dict[str, str], sentence: str
) -> None:
    assert refusals(parameters) == [sentence]


def test_the_alarm_counts_more_than_five_anomalies_in_fifteen_minutes() -> None:
    alarm = resolved(MSK, "AnomaliesAlarm")
    assert (int(alarm["Threshold"]), int(alarm["Period"])) == (5, 900)
    assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
    assert alarm["MetricName"] == "LogAnomalies"
    filters = [
        resolved(MSK, name)["MetricTransformations"][0]
        for name in ("RecordsFilter", "AnomaliesFilter", "ScoreFilter", "ResponseTimeFilter")
    ]
    assert alarm["Dimensions"] == [{"Name": "Stream", "Value": "shop"}]
    assert {each["Dimensions"][0]["Key"] for each in filters} == {"Stream"}
    assert "LogAnomalies" in {each["MetricName"] for each in filters}


def test_the_dashboard_is_valid_and_shows_what_the_filters_and_lambda_publish() -> None:
    body = json.loads(resolved(MSK, "Dashboard")["DashboardBody"])
    assert list(problems(body)) == []
    shown = [row for widget in body["widgets"] for row in widget["properties"].get("metrics", ())]
    assert {row[1] for row in shown} == {
        "LogRecords", "LogAnomalies", "LogResponseTime", "LogScore", "OffsetLag"
    }  # fmt: skip
    assert {(row[2], row[3]) for row in shown if row[0] != "AWS/Lambda"} == {("Stream", "shop")}
    [link] = [each["properties"]["markdown"] for each in body["widgets"] if each["type"] == "text"]
    assert "?prefix=streams/shop/reports/)" in link


def test_the_report_may_read_its_queue_and_write_its_reports_only() -> None:
    policy = resolved(MSK, "ReportHourRole")["Policies"][0]["PolicyDocument"]["Statement"]
    allowed = {each["Sid"]: each["Action"] for each in policy}
    assert allowed["DrainResults"] == ["sqs:DeleteMessage", "sqs:ReceiveMessage"]
    assert allowed["WriteReports"] == ["s3:GetObject", "s3:PutObject"]
    [reports] = [each["Resource"] for each in policy if each["Sid"] == "WriteReports"]
    assert reports.endswith("/streams/shop/reports/*")


HISTORY = {"HistoryLocation": "archive/shop-access/"}


def statements(parameters: dict[str, str], role: str) -> dict[str, dict[str, Any]]:
    """Return the statements of a role's own policy by their Sid."""
    document = resolved(parameters, role)["Policies"][0]["PolicyDocument"]
    return {each["Sid"]: each for each in document["Statement"]}


def test_the_training_reads_the_history_and_writes_models_and_nothing_else() -> None:
    allowed = statements(MSK | HISTORY, "TrainLogRole")
    assert {sid: each["Action"] for sid, each in allowed.items()} == {
        "StoreModels": ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
        "TellMissingFromForbidden": "s3:ListBucket",
        "ReadHistory": "s3:GetObject",
        "ListHistory": "s3:ListBucket",
        "Log": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Trace": ["xray:PutTelemetryRecords", "xray:PutTraceSegments"],
    }
    assert allowed["StoreModels"]["Resource"].endswith("/log-models/shop/*")
    assert allowed["ReadHistory"]["Resource"] == "arn:aws:s3:::archive/shop-access/*"
    assert allowed["ListHistory"]["Resource"] == "arn:aws:s3:::archive"
    assert allowed["ListHistory"]["Condition"] == {"StringLike": {"s3:prefix": "shop-access*"}}


def test_a_stack_without_history_has_no_training() -> None:
    stack = Stack("cutwatch-shop", TEMPLATE, **MSK)
    for logical_id in ("TrainLog", "TrainLogRole", "TrainBySchedule", "TrainingLayer", "TrainingAlarm"):  # fmt: skip
        assert stack.template["Resources"][logical_id]["Condition"] == "TrainsInFunction"
    assert stack.template["Outputs"]["TrainFunction"]["Condition"] == "TrainsInFunction"


@pytest.mark.parametrize(
    ("destination", "actions", "resource"),
    [
        ("", "sqs:SendMessage", None),
        (f"arn:aws:sns:{REGION}:{ACCOUNT}:lost", "sns:Publish", f"arn:aws:sns:{REGION}:{ACCOUNT}:lost"),
        ("arn:aws:s3:::lost-records", ["s3:ListBucket", "s3:PutObject"], ["arn:aws:s3:::lost-records", "arn:aws:s3:::lost-records/*"]),
        (
            "kafka://shop-lost",
            ["kafka-cluster:DescribeTopic", "kafka-cluster:WriteData"],
            f"arn:aws:kafka:{REGION}:{ACCOUNT}:topic/shop/5a1f7c2e-3/shop-lost",
        ),
    ],
    ids=["the queue", "SNS", "S3", "Kafka"],
)  # fmt: skip
def test_the_role_declares_lost_records_at_their_destination_only(
    destination: str, actions: Any, resource: Any
) -> None:
    parameters = MSK | {"LostRecordsDestination": destination}
    declare = statements(parameters, "ScoreKafkaRole")["DeclareLostRecords"]
    assert declare["Action"] == actions
    if resource is not None:
        assert declare["Resource"] == resource
        target = resolved(parameters, "Records")["DestinationConfig"]["OnFailure"]["Destination"]
        assert target == destination


def test_the_sweep_may_read_the_lag_and_knows_whose() -> None:
    assert statements(MSK, "CloseWindowsRole").keys() == {"FindWhetherRecordsWait"}
    environment = resolved(MSK, "CloseWindows")["Environment"]["Variables"]
    assert environment.keys() == {"SCORING_FUNCTION"}


def test_every_function_of_the_stack_reads_its_environment() -> None:
    stack = Stack("cutwatch-shop", TEMPLATE, **MSK, **HISTORY)
    read: dict[str, type[Settings]] = {
        "ScoreKafka": StreamSettings,
        "CloseWindows": StreamSettings,
        "ReportHour": ReportHourSettings,
        "TrainLog": TrainLogSettings,
    }
    for function, settings in read.items():
        environment = stack.environment(function) | {"AWS_REGION": REGION}
        assert settings.from_env({name: str(value) for name, value in environment.items()})


def test_the_stack_has_what_the_command_line_recognises_it_by() -> None:
    outputs = Stack("cutwatch-shop", TEMPLATE, **MSK).template["Outputs"].keys()
    assert outputs >= STREAM_OUTPUTS


def test_rules_have_the_functions_that_cloudformation_takes_in_rules() -> None:
    allowed = {"Fn::And", "Fn::Equals", "Fn::Not", "Fn::Or", "Ref"}
    assert functions_of(read_template(TEMPLATE)["Rules"]) <= allowed


def functions_of(node: Any) -> set[str]:
    """Return the names of the functions in a part of a template."""
    if isinstance(node, list):
        return set().union(*map(functions_of, node))
    if not isinstance(node, dict):
        return set()
    own = {name for name in node if name == "Ref" or name.startswith("Fn::")}
    return own.union(*map(functions_of, node.values()))
