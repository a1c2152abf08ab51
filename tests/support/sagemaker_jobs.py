"""SageMaker's jobs and models behind boto3's client, for moto's jobs neither run, nor fail, nor mind their names.

A job ends the first time that it is looked at. Training learns the median of its rows; a score is the distance from it.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import median
from types import SimpleNamespace
from typing import Any

Parsed = dict[str, Any]


@dataclass
class Job:
    """A job as described; `end` and `reason` are what becomes of it."""

    request: Parsed
    created: datetime
    end: str = "Completed"
    reason: str = ""
    status: str = "InProgress"

    @property
    def description(self) -> Parsed:
        """What both kinds of job say of themselves."""
        return {"CreationTime": self.created} | (
            {"FailureReason": self.reason} if self.reason else {}
        )


@dataclass
class Refusal:
    """The next calls of one operation, as many as `times`, are refused."""

    operation: str
    code: str
    message: str = "refused by the test"
    times: int = 1


class _Refused(Exception):
    pass


@dataclass
class SageMakerJobs:
    """Answers every call that a SageMaker client makes."""

    s3: Any
    jobs: dict[tuple[str, str], Job] = field(default_factory=dict)
    models: dict[str, Parsed] = field(default_factory=dict)
    calls: list[tuple[str, Parsed]] = field(default_factory=list)
    ends: dict[str, tuple[str, str]] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)

    def will_end(self, kind_and_name: str, status: str, reason: str = "") -> None:
        """Jobs that match (`TrainingJob cutwatch-orders`) end so; an end of `InProgress` never comes."""
        self.ends[kind_and_name] = (status, reason)

    def refuse(self, operation: str, code: str, message: str = "refused", times: int = 1) -> None:
        """Let the next calls of an operation fail."""
        self.refusals.append(Refusal(operation, code, message, times))

    def created(self, operation: str) -> list[str]:
        """Names of what was created, in order."""
        key = operation.removeprefix("Create") + "Name"
        return [request[key] for name, request in self.calls if name == operation]

    def answer(self, model: Any, params: Parsed, **_: Any) -> tuple[Any, Parsed]:
        """Handler of botocore's `before-call`: what it returns is the response."""
        request = json.loads(params["body"])
        try:
            self._refuse(model.name)
            answer = getattr(self, _method(model.name))(request)
        except _Refused as refused:
            code, message = refused.args
            error = {"Error": {"Code": code, "Message": message}}
            return SimpleNamespace(status_code=400), error | _metadata(400)
        self.calls.append((model.name, request))
        return SimpleNamespace(status_code=200), answer | _metadata(200)

    def _refuse(self, operation: str) -> None:
        for refusal in self.refusals:
            if refusal.operation == operation and refusal.times:
                refusal.times -= 1
                raise _Refused(refusal.code, refusal.message)

    def _create_training_job(self, request: Parsed) -> Parsed:
        self._create("TrainingJob", request)
        return {"TrainingJobArn": "arn"}

    def _create_transform_job(self, request: Parsed) -> Parsed:
        if request["ModelName"] not in self.models:
            raise _Refused("ValidationException", "Could not find model")
        self._create("TransformJob", request)
        return {"TransformJobArn": "arn"}

    def _create(self, kind: str, request: Parsed) -> None:
        name = request[f"{kind}Name"]
        if (kind, name) in self.jobs:
            raise _Refused("ResourceInUse", f"Job name must be unique: {name}")
        self.jobs[kind, name] = job = Job(request, datetime.now(UTC))
        for pattern, end in self.ends.items():
            if re.search(pattern, f"{kind} {name}"):
                job.end, job.reason = end

    def _create_model(self, request: Parsed) -> Parsed:
        if request["ModelName"] in self.models:
            raise _Refused("ValidationException", "Cannot create already existing model")
        self.models[request["ModelName"]] = request
        return {"ModelArn": "arn"}

    def _delete_model(self, request: Parsed) -> Parsed:
        if self.models.pop(request["ModelName"], None) is None:
            raise _Refused("ValidationException", "Could not find model")
        return {}

    def _describe_training_job(self, request: Parsed) -> Parsed:
        job = self._job("TrainingJob", request)
        job.status = job.end
        return job.description | {"TrainingJobStatus": job.status}

    def _describe_transform_job(self, request: Parsed) -> Parsed:
        job = self._job("TransformJob", request)
        if job.status != job.end == "Completed":
            self._score(job.request)
        job.status = job.end
        return job.description | {"TransformJobStatus": job.status}

    def _stop_training_job(self, request: Parsed) -> Parsed:
        return self._stop(self._job("TrainingJob", request))

    def _stop_transform_job(self, request: Parsed) -> Parsed:
        return self._stop(self._job("TransformJob", request))

    def _stop(self, job: Job) -> Parsed:
        if job.status != "InProgress":
            raise _Refused("ValidationException", "The request was rejected: the job has ended.")
        job.end = job.status = "Stopped"
        return {}

    def _job(self, kind: str, request: Parsed) -> Job:
        try:
            return self.jobs[kind, request[f"{kind}Name"]]
        except KeyError:
            raise _Refused("ValidationException", "Requested resource not found.") from None

    def _score(self, request: Parsed) -> None:
        typical = self._typical(request["ModelName"])
        scores: dict[str, str] = {}
        for key, value in self._rows(request["TransformInput"]["DataSource"]):
            line = json.dumps({"score": abs(value - typical)})
            scores[key] = f"{scores.get(key, '')}{line}\n"
        bucket, prefix = _location(request["TransformOutput"]["S3OutputPath"])
        for key, lines in scores.items():
            output = f"{prefix}{key.rsplit('/', 1)[-1]}.out"
            self.s3.put_object(Bucket=bucket, Key=output, Body=lines.encode())

    def _typical(self, model: str) -> float:
        training = self.jobs.get(("TrainingJob", model))
        if training is None:
            return 0.0
        source = training.request["InputDataConfig"][0]["DataSource"]
        return median(value for _, value in self._rows(source))

    def _rows(self, source: Parsed) -> Iterator[tuple[str, float]]:
        """The newest value of every row, with the key of the object that holds it."""
        bucket, prefix = _location(source["S3DataSource"]["S3Uri"])
        for listed in self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", []):
            content = self.s3.get_object(Bucket=bucket, Key=listed["Key"])["Body"].read()
            for line in content.decode().splitlines():
                yield listed["Key"], float(line.rsplit(",", 1)[-1])


def _method(operation: str) -> str:
    return re.sub(r"(?=[A-Z])", "_", operation).lower()


def _location(uri: str) -> tuple[str, str]:
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    return bucket, prefix


def _metadata(status: int) -> Parsed:
    return {"ResponseMetadata": {"HTTPStatusCode": status}}
