"""Batch transform jobs: one object of scores for every object of rows."""

from collections.abc import Callable, Mapping
from typing import Any

from localaws.clock import Clock
from localaws.job_outcomes import OutcomeKind
from localaws.sagemaker import arns, random_cut_forest
from localaws.sagemaker.behaviour import SageMakerBehaviour
from localaws.sagemaker.job_registry import JobKind, JobRegistry
from localaws.sagemaker.jobs import Job, JobFailure, JobRunner
from localaws.sagemaker.keys import JobKeys
from localaws.sagemaker.models import Models
from localaws.sagemaker.objects import ObjectsOfRoles, split
from localaws.sagemaker.supported import not_implemented, refuse_unsupported

_KIND = JobKind(
    prefix="TransformJob",
    arn_kind="transform-job",
    usage="transform job usage",
    name_taken=(
        "Job name must be unique within an AWS account and region, and a job with this name "
        "already exists"
    ),
    not_found="Could not find requested job with name: {name}",
)
_GARBLED = b"<html>Service Unavailable</html>\n"
_REQUIRED_SETTINGS = (
    ("TransformInput", "ContentType", "text/csv"),
    ("TransformInput", "SplitType", "Line"),
    ("TransformOutput", "Accept", "application/jsonlines"),
    ("TransformOutput", "AssembleWith", "Line"),
)


class TransformJobs:
    def __init__(
        self,
        region: str,
        clock: Clock,
        objects: ObjectsOfRoles,
        keys: JobKeys,
        behaviour: SageMakerBehaviour,
        models: Models,
    ) -> None:
        self._region = region
        self._clock = clock
        self._objects = objects
        self._keys = keys
        self._behaviour = behaviour
        self._models = models
        self._runner = JobRunner(clock, lambda: behaviour.stopping_seconds)
        self.registry = JobRegistry(_KIND, self._runner, behaviour)

    def create(self, request: Mapping[str, Any]) -> dict[str, Any]:
        refuse_unsupported("CreateTransformJob", request)
        _check_settings(request)
        self._models.get(request["ModelName"])
        name, resources = request["TransformJobName"], request["TransformResources"]
        job = Job(
            name=name,
            arn=arns.arn(self._region, _KIND.arn_kind, name),
            request=request,
            instance_type=resources["InstanceType"],
            instance_count=resources["InstanceCount"],
            created=self._clock.now(),
        )
        self.registry.add(job)
        outcome = self._behaviour.outcome_of(name)
        self._runner.start(
            job, lambda kind: self._transform(job, kind), self._behaviour.transform_seconds, outcome
        )
        return {"TransformJobArn": job.arn}

    def describe(self, request: Mapping[str, Any]) -> dict[str, Any]:
        job = self.registry.get(request["TransformJobName"])
        description: dict[str, Any] = {
            **{key: value for key, value in job.request.items() if key != "Tags"},
            "TransformJobArn": job.arn,
            "TransformJobStatus": job.status,
            "CreationTime": job.created,
        }
        if job.failure_reason:
            description["FailureReason"] = job.failure_reason
        if job.ended:
            description |= {"TransformStartTime": job.created, "TransformEndTime": job.ended}
        return description

    def list(self, request: Mapping[str, Any]) -> dict[str, Any]:
        return self.registry.page(request)

    def stop(self, request: Mapping[str, Any]) -> dict[str, Any]:
        self.registry.stop(request["TransformJobName"])
        return {}

    def _transform(self, job: Job, kind: OutcomeKind) -> Callable[[], None]:
        role, output = self._models.role(job.request["ModelName"]), job.request["TransformOutput"]
        self._keys.check(role, output, job.request["TransformResources"])
        forest = random_cut_forest.load(self._models.artefact(job.request["ModelName"]))
        uri = job.request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"]
        objects = self._objects.of(role)
        bucket, keys = split(uri)[0], objects.keys(uri)
        if not keys:
            raise JobFailure(f"ClientError: No S3 objects found under S3 URL {uri}")
        outputs = {}
        for key in keys:
            content = objects.read(f"s3://{bucket}/{key}")
            rows = random_cut_forest.parse_rows(content, forest[0].dimensions(), key)
            scores = random_cut_forest.score(forest, rows)
            outputs[_output_uri(job, uri, key)] = _scores_as_planned(scores, kind)

        def write() -> None:
            for target, content in outputs.items():
                objects.write(target, content, output.get("KmsKeyId", ""))

        return write if kind is not OutcomeKind.LOSE_OUTPUT else lambda: None


def _output_uri(job: Job, input_uri: str, key: str) -> str:
    """Return the output path with the part of the key below the last slash of the input prefix."""
    path = job.request["TransformOutput"]["S3OutputPath"].rstrip("/")
    directory = split(input_uri)[1].rpartition("/")[0]
    relative = key.removeprefix(f"{directory}/") if directory else key
    return f"{path}/{relative}.out"


def _scores_as_planned(scores: list[float], kind: OutcomeKind) -> bytes:
    if kind is OutcomeKind.GARBLE_OUTPUT:
        return _GARBLED
    if kind is OutcomeKind.SHORTEN_OUTPUT:
        return random_cut_forest.jsonlines(scores[:-1])
    # `AssembleWith: Line` may leave a blank line after what it joins.
    return random_cut_forest.jsonlines(scores) + b"\n"


def _check_settings(request: Mapping[str, Any]) -> None:
    for part, name, implemented in _REQUIRED_SETTINGS:
        given = request[part].get(name)
        if given != implemented:
            raise not_implemented(f"{name} {given} of a transform job, only {implemented}")
    if request.get("BatchStrategy", "MultiRecord") != "MultiRecord":
        raise not_implemented(f"BatchStrategy {request['BatchStrategy']}")
    source = request["TransformInput"]["DataSource"]["S3DataSource"]
    if source["S3DataType"] != "S3Prefix":
        raise not_implemented(f"S3DataType {source['S3DataType']}")
