"""Every error of boto3's becomes one of the classes that state machines know by name."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    IncompleteReadError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from cutwatch.aws.clients import client, from_item, read_body, to_item, translate
from cutwatch.errors import (
    AccessDenied,
    AwsError,
    ConditionFailed,
    ConnectionLost,
    NameInUse,
    NotFound,
    QuotaExceeded,
    QuotaTooSmall,
    RejectedRequest,
    ServiceFault,
    Throttled,
)
from tests.support.client_events import hook

USED = {
    "cloudwatch": ["GetMetricData", "ListMetrics", "PutMetricData"],
    "dynamodb": ["DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"],
    "s3": ["GetBucketTagging", "GetObject", "PutObject"],
    "sagemaker": ["CreateModel", "CreateTrainingJob", "CreateTransformJob", "DescribeTrainingJob"],
    "sns": ["Publish"],
}
WORDS = {"throttl": Throttled, "requestlimit": Throttled, "internal": ServiceFault}


def refusal(code: str, message: str = "", status: int = 400, **response: Any) -> ClientError:
    answer = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
        **response,
    }
    return ClientError(answer, "Operation")  # type: ignore[arg-type]


def kind(error: ClientError | BotoCoreError) -> type[AwsError]:
    return type(translate("Operation", error))


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("ThrottlingException", Throttled),
        ("Throttling", Throttled),
        ("TooManyRequestsException", Throttled),
        ("ProvisionedThroughputExceededException", Throttled),
        ("SlowDown", Throttled),
        ("KMSThrottling", Throttled),
        ("InternalFailure", ServiceFault),
        ("ServiceUnavailable", ServiceFault),
        ("ResourceLimitExceeded", QuotaExceeded),
        ("ResourceInUse", NameInUse),
        ("AccessDenied", AccessDenied),
        ("AccessDeniedException", AccessDenied),
        ("ExpiredTokenException", AccessDenied),
        ("NoSuchKey", NotFound),
        ("ResourceNotFoundException", NotFound),
        ("NoSuchTagSet", NotFound),
        ("ConditionalCheckFailedException", ConditionFailed),
        ("ValidationException", RejectedRequest),
        ("InvalidParameterValue", RejectedRequest),
        ("SomethingNew", RejectedRequest),
    ],
)
def test_an_error_code_has_its_class(code: str, expected: type[AwsError]) -> None:
    assert kind(refusal(code)) is expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ('Could not find model "arn:aws:sagemaker:..."', NotFound),
        ("Requested resource not found.", NotFound),
        ("Cannot create already existing model", NameInUse),
        ("1 validation error detected: Value 'x' failed to satisfy constraint", RejectedRequest),
    ],
)
def test_sagemakers_validation_errors_are_told_apart_by_their_words(
    message: str, expected: type[AwsError]
) -> None:
    assert kind(refusal("ValidationException", message)) is expected


@pytest.mark.parametrize(
    ("status", "expected"), [(429, Throttled), (500, ServiceFault), (503, ServiceFault)]
)
def test_an_unknown_code_is_judged_by_its_http_status(
    status: int, expected: type[AwsError]
) -> None:
    assert kind(refusal("SomethingNew", status=status)) is expected


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        (["None", "ConditionalCheckFailed"], ConditionFailed),
        (["TransactionConflict"], Throttled),
        (["ThrottlingError"], Throttled),
        (["ValidationError"], RejectedRequest),
    ],
)
def test_a_cancelled_transaction_is_judged_by_its_reasons(
    reasons: list[str], expected: type[AwsError]
) -> None:
    cancelled = [{"Code": reason} for reason in reasons]
    error = refusal("TransactionCanceledException", CancellationReasons=cancelled)

    assert kind(error) is expected


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="https://aws"),
        ConnectTimeoutError(endpoint_url="https://aws"),
        ReadTimeoutError(endpoint_url="https://aws"),
        ConnectionClosedError(endpoint_url="https://aws"),
        IncompleteReadError(actual_bytes=1, expected_bytes=2),
    ],
)
def test_no_answer_is_a_lost_connection(error: BotoCoreError) -> None:
    assert kind(error) is ConnectionLost


@pytest.mark.parametrize("error", [NoCredentialsError(), ParamValidationError(report="Missing")])
def test_what_never_left_the_machine_is_a_rejected_request(error: BotoCoreError) -> None:
    assert kind(error) is RejectedRequest


def test_throttling_and_internal_errors_of_every_service_are_known_from_their_models() -> None:
    for service, operations in USED.items():
        model = client(service).meta.service_model
        shapes = [
            shape for name in operations for shape in model.operation_model(name).error_shapes
        ]
        for shape in shapes:
            code = shape.metadata.get("error", {}).get("code", shape.name)
            for word, expected in WORDS.items():
                if word in code.lower():
                    assert kind(refusal(code)) is expected, (service, code)


def test_an_errors_text_says_operation_reason_and_code() -> None:
    error = translate("CreateModel", refusal("ResourceInUse", "taken"))
    assert (str(error), error.code) == ("CreateModel: taken (ResourceInUse)", "ResourceInUse")


@contextmanager
def answering(service: str, code: str) -> Iterator[None]:
    def answer(**_: Any) -> tuple[Any, dict[str, Any]]:
        return SimpleNamespace(status_code=400), refusal(code).response  # type: ignore[return-value]

    with hook(client(service), f"before-call.{service}", answer):
        yield


def test_a_client_raises_our_classes() -> None:
    with answering("sagemaker", "ThrottlingException"), pytest.raises(Throttled) as refused:
        client("sagemaker").describe_training_job(TrainingJobName="x")

    assert isinstance(refused.value.__cause__, ClientError)


def test_paginators_raise_our_classes_too() -> None:
    pages = client("cloudwatch").get_paginator("list_metrics").paginate()

    with answering("cloudwatch", "Throttling"), pytest.raises(Throttled):
        list(pages)


def test_a_malformed_request_raises_our_classes_too() -> None:
    with pytest.raises(RejectedRequest, match="Missing required parameter"):
        client("sagemaker").describe_training_job()


def test_a_client_is_made_once() -> None:
    assert client("s3") is client("s3")


@pytest.mark.parametrize(
    "error",
    [
        ReadTimeoutError(endpoint_url="https://s3"),
        ResponseStreamingError(error="reset"),
        IncompleteReadError(actual_bytes=1, expected_bytes=2),
    ],
)
def test_a_connection_lost_while_reading_a_body_is_a_lost_connection(error: BotoCoreError) -> None:
    def read() -> bytes:
        raise error

    with pytest.raises(ConnectionLost, match=r"^GetObject: "):
        read_body("GetObject", {"Body": SimpleNamespace(read=read)})


@pytest.mark.parametrize(
    "attributes",
    [
        {"text": "x", "nothing": None, "yes": True, "list": [1, "a", [2]], "map": {"a": {"b": []}}},
        {"whole": 3, "negative": -7, "large": 10**15},
        {"fraction": 0.1, "small": 1e-9, "third": 1 / 3, "pi": 3.141592653589793},
    ],
)
def test_an_item_is_read_back_as_it_was_written(attributes: dict[str, Any]) -> None:
    assert from_item(to_item(attributes)) == attributes


USED_UP = (
    "The account-level service limit 'ml.m5.large for training job usage' is {quota} Instances, with current "
    "utilization of {used} Instances and a request delta of {asked} Instances. Please use AWS Service Quotas."
)


@pytest.mark.parametrize(
    ("quota", "used", "asked", "kind"),
    [
        (0, 0, 1, QuotaTooSmall),
        (1, 0, 2, QuotaTooSmall),
        (2, 2, 1, QuotaExceeded),
        (8, 5, 4, QuotaExceeded),
    ],
)
def test_a_quota_that_can_never_be_met_is_told_from_one_that_is_in_use(
    quota: int, used: int, asked: int, kind: type[Exception]
) -> None:
    message = USED_UP.format(quota=quota, used=used, asked=asked)
    error = ClientError(
        {"Error": {"Code": "ResourceLimitExceeded", "Message": message}}, "CreateTrainingJob"
    )

    translated = translate("CreateTrainingJob", error)

    assert type(translated) is kind
    assert "'ml.m5.large for training job usage'" in str(translated)
    assert ("servicequotas" in str(translated)) == (kind is QuotaTooSmall)


def test_a_call_that_may_take_long_is_waited_for_and_not_repeated() -> None:
    slow, other = client("lambda", answer_seconds=120), client("lambda")
    config = slow.meta.config
    assert (config.read_timeout, config.retries["total_max_attempts"]) == (120, 1)
    assert config.tcp_keepalive
    assert other.meta.config.read_timeout < config.read_timeout
    assert client("lambda", answer_seconds=120) is slow
