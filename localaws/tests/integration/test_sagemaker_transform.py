"""Models and batch transform jobs."""

import json
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError

from localaws import LocalAws
from support.sagemaker_requests import (
    ended,
    model,
    rows,
    training,
    transform,
)

MODEL = "forest"


@pytest.fixture(scope="module")
def sagemaker(aws: LocalAws, role: str, bucket: str) -> Any:
    """A client of a SageMaker that has one model."""
    client = aws.client("sagemaker")
    aws.client("s3").put_object(Bucket=bucket, Key="learn/rows.csv", Body=rows())
    client.create_training_job(**training(MODEL, role, bucket, "learn/"))
    uri = ended(client, "Training", MODEL)["ModelArtifacts"]["S3ModelArtifacts"]
    client.create_model(**model(MODEL, role, uri))
    return client


def put(aws: LocalAws, bucket: str, key: str, values: list[float]) -> None:
    body = "".join(f"{value}\n" for value in values)
    aws.client("s3").put_object(Bucket=bucket, Key=key, Body=body)


def written(aws: LocalAws, bucket: str, key: str) -> bytes:
    body: bytes = aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return body


def test_every_line_of_every_object_gets_its_score_in_order(
    aws: LocalAws, sagemaker: Any, bucket: str
) -> None:
    put(aws, bucket, "week/a.csv", [100.0, 101.0, 300.0])
    put(aws, bucket, "week/b.csv", [99.0])
    sagemaker.create_transform_job(**transform("ordered", MODEL, bucket, "week/"))
    assert ended(sagemaker, "Transform", "ordered")["TransformJobStatus"] == "Completed"
    lines = written(aws, bucket, "scores/a.csv.out").decode().split("\n")
    assert lines.pop() == lines.pop() == ""
    scores = [json.loads(line)["score"] for line in lines]
    assert len(scores) == 3
    assert np.argmax(scores) == 2
    assert scores[2] > 2 * max(scores[:2])
    assert len(written(aws, bucket, "scores/b.csv.out").split(b"\n")) == 3


def test_a_prefix_that_is_one_object_writes_one_output(
    aws: LocalAws, sagemaker: Any, bucket: str
) -> None:
    put(aws, bucket, "single/rows.csv", [100.0])
    output = {
        "S3OutputPath": f"s3://{bucket}/single-scores/",
        "Accept": "application/jsonlines",
        "AssembleWith": "Line",
    }
    sagemaker.create_transform_job(
        **transform("single", MODEL, bucket, "single/rows.csv", TransformOutput=output)
    )
    ended(sagemaker, "Transform", "single")
    assert written(aws, bucket, "single-scores/rows.csv.out")


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        ("shorten_output", b'{"score"'),
        ("garble_output", b"<html>"),
        ("lose_output", None),
    ],
)
def test_output_can_be_lost_or_broken_though_the_job_completes(
    aws: LocalAws, sagemaker: Any, bucket: str, outcome: str, expected: bytes | None
) -> None:
    name = outcome.replace("_", "-")
    put(aws, bucket, f"{name}/rows.csv", [100.0, 100.0])
    getattr(aws.sagemaker, outcome)(lambda job: job == name)
    output = {
        "S3OutputPath": f"s3://{bucket}/{name}-scores",
        "Accept": "application/jsonlines",
        "AssembleWith": "Line",
    }
    sagemaker.create_transform_job(
        **transform(name, MODEL, bucket, f"{name}/", TransformOutput=output)
    )
    assert ended(sagemaker, "Transform", name)["TransformJobStatus"] == "Completed"
    if expected is None:
        with pytest.raises(ClientError, match="NoSuchKey"):
            written(aws, bucket, f"{name}-scores/rows.csv.out")
    else:
        lines = written(aws, bucket, f"{name}-scores/rows.csv.out").splitlines()
        assert len(lines) == 1
        assert lines[0].startswith(expected)


def test_rows_of_another_width_than_the_models_fail_the_job(
    aws: LocalAws, sagemaker: Any, bucket: str
) -> None:
    aws.client("s3").put_object(Bucket=bucket, Key="wide/rows.csv", Body=rows(features=2))
    sagemaker.create_transform_job(**transform("wide", MODEL, bucket, "wide/"))
    assert "dimension" in ended(sagemaker, "Transform", "wide")["FailureReason"]


def test_no_rows_fail_the_job(sagemaker: Any, bucket: str) -> None:
    sagemaker.create_transform_job(**transform("empty", MODEL, bucket, "no-rows/"))
    assert "No S3 objects found" in ended(sagemaker, "Transform", "empty")["FailureReason"]


def test_a_transform_needs_its_model(sagemaker: Any, bucket: str) -> None:
    with pytest.raises(ClientError, match="Could not find model"):
        sagemaker.create_transform_job(**transform("modelless", "nobody", bucket, "week/"))


@pytest.mark.parametrize(
    ("part", "field", "value"),
    [
        ("TransformInput", "ContentType", "application/json"),
        ("TransformInput", "SplitType", "None"),
        ("TransformOutput", "Accept", "text/csv"),
        ("TransformOutput", "AssembleWith", "None"),
    ],
)
def test_formats_that_are_missing_here_are_refused_by_name(
    sagemaker: Any, bucket: str, part: str, field: str, value: str
) -> None:
    request = transform("formats", MODEL, bucket, "week/")
    request[part][field] = value
    with pytest.raises(ClientError, match=f"does not implement {field} {value}"):
        sagemaker.create_transform_job(**request)


def test_a_name_in_use_is_a_resource_in_use(aws: LocalAws, sagemaker: Any, bucket: str) -> None:
    put(aws, bucket, "again/rows.csv", [1.0])
    sagemaker.create_transform_job(**transform("again", MODEL, bucket, "again/"))
    with pytest.raises(sagemaker.exceptions.ResourceInUse, match="already exists"):
        sagemaker.create_transform_job(**transform("again", MODEL, bucket, "again/"))


def test_a_transform_job_stops(aws: LocalAws, sagemaker: Any, bucket: str) -> None:
    aws.sagemaker.hang(lambda job: job == "stopping")
    sagemaker.create_transform_job(**transform("stopping", MODEL, bucket, "week/"))
    sagemaker.stop_transform_job(TransformJobName="stopping")
    assert ended(sagemaker, "Transform", "stopping")["TransformJobStatus"] == "Stopped"


def test_an_unknown_transform_job_is_not_found(sagemaker: Any) -> None:
    with pytest.raises(ClientError, match="Could not find requested job with name: unknown"):
        sagemaker.describe_transform_job(TransformJobName="unknown")


def test_an_existing_model_is_a_validation_error_not_a_resource_in_use(
    sagemaker: Any, role: str
) -> None:
    described = sagemaker.describe_model(ModelName=MODEL)
    uri = described["PrimaryContainer"]["ModelDataUrl"]
    with pytest.raises(ClientError, match="Cannot create already existing model") as caught:
        sagemaker.create_model(**model(MODEL, role, uri))
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_a_model_needs_its_artefact(sagemaker: Any, role: str, bucket: str) -> None:
    with pytest.raises(ClientError, match="Could not access model data"):
        sagemaker.create_model(**model("hollow", role, f"s3://{bucket}/nothing.tar.gz"))


def test_a_deleted_model_is_gone(sagemaker: Any, role: str) -> None:
    uri = sagemaker.describe_model(ModelName=MODEL)["PrimaryContainer"]["ModelDataUrl"]
    sagemaker.create_model(**model("short-lived", role, uri))
    sagemaker.delete_model(ModelName="short-lived")
    listed = [found["ModelName"] for found in sagemaker.list_models()["Models"]]
    assert listed == [MODEL]
    with pytest.raises(ClientError, match="Could not find model"):
        sagemaker.describe_model(ModelName="short-lived")
    with pytest.raises(ClientError, match="Could not find model"):
        sagemaker.delete_model(ModelName="short-lived")
