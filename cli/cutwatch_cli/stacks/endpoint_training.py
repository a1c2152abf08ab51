"""Training of a log's model by SageMaker, and its deployment to the endpoint that scores the log.

Every step has a name that the records and the day determine, so a repetition goes on where the last attempt ended: jobs that run or
have completed are not started again, and a model that serves is not deployed again. Rows and scores expire by the bucket's rules.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cutwatch.anomaly_models.endpoint_forest import present
from cutwatch.aws.s3 import Bucket
from cutwatch.aws.stack_tags import stack_tags
from cutwatch.datasets.dataset import Dataset
from cutwatch.datasets.keys import (
    ROWS,
    dataset_prefix,
    forest_name,
    model_artefact_key,
    model_prefix,
    scores_prefix,
)
from cutwatch.delivery.log_trainer import MOST_ANOMALOUS
from cutwatch.detectors.stream import Stream
from cutwatch.endpoints.cutoff_store import VariantCutoff
from cutwatch.endpoints.cutoffs import column_ranges, training_scores
from cutwatch.endpoints.deployment import Deployment, EndpointDeployer
from cutwatch.endpoints.invocation import csv_line
from cutwatch.endpoints.retirement import ModelRetirer
from cutwatch.errors import TrainingRefused
from cutwatch.features.log_event import LogEvent
from cutwatch.sagemaker.jobs import (
    Job,
    Jobs,
    TrainingJobs,
    TransformJobs,
    create_model,
    start,
    status,
    stop,
)
from cutwatch.sagemaker.names import job_name
from cutwatch.sagemaker.requests import Request, training_job_request, transform_job_request
from cutwatch.settings import TrainingJobSettings, TransformJobSettings
from cutwatch.streams.endpoint_training import training_by_endpoint
from cutwatch.streams.log_training import Training, TrainingRows, training_rows
from cutwatch.streams.model_register import CurrentModel, ModelRegister
from cutwatch.timestamps import format_timestamp
from cutwatch_cli.stacks.refusal import Refused

# Seconds between two looks at a job or at the endpoint.
_LOOKS = 15.0
_RUNNING = ("InProgress", "Stopping")
_DEPLOYING = ("Creating", "Updating", "SystemUpdating", "RollingBack")
# Objects of the rows, in the order of time: those that train, and those that check the model.
_TRAINING, _LATER = "part-00000.csv", "part-00001.csv"


@dataclass(frozen=True)
class EndpointTrainer:
    """Trains and deploys the models of one stream.

    `pause` waits for a number of seconds, `clock` returns the time in UTC, `tell` says what is waited for.
    """

    stream: Stream
    bucket: Bucket
    sagemaker: Any
    training: TrainingJobSettings
    transform: TransformJobSettings
    deployer: EndpointDeployer
    pause: Callable[[float], None]
    clock: Callable[[], datetime]
    tell: Callable[[str], None]

    @property
    def register(self) -> ModelRegister:
        """The stream's stored models."""
        return ModelRegister(self.bucket, self.stream)

    def train(self, events: Sequence[LogEvent], *, force: bool = False) -> Training:
        """Train on a log's events in the order of time, deploy the model, and wait until it serves.

        Raises `TrainingRefused` for a model that finds many of the newest records anomalous, unless `force`, and `Refused` for a
        job or a deployment that fails.
        """
        given = training_rows(self.stream, events)
        day = self.clock().replace(hour=0, minute=0, second=0, microsecond=0)
        dataset = self._store(given, day)
        model, scoring = self._model_and_scores(dataset, day)
        scores = training_scores(self.bucket, dataset, scoring)
        trained = training_by_endpoint(self.stream, given, model, scores)
        self._check(trained, force=force)
        self._publish(trained, model, dataset)
        return trained

    def roll_back(self, to: str = "") -> CurrentModel:
        """Deploy an earlier model, the one before by default, and wait until it serves; return the register as it is then.

        A repetition after an interruption finishes what was begun.
        """
        current, serves = self.register.read(), self.deployer.endpoint().serves
        is_deployed = serves != current.version and serves in {e.version for e in current.versions}
        if is_deployed and to in ("", serves):
            return self.register.roll_back(serves)
        deployment = self.deployer.roll_back(to or None, self.clock())
        self._wait_until_it_serves(deployment)
        return self.register.roll_back(deployment.model)

    def _store(self, given: TrainingRows, day: datetime) -> Dataset:
        """Write the rows as CSV; equal rows of equal configurations have equal names on one day."""
        parts = [
            "".join(csv_line(present(row)) for row in rows.tolist())
            for rows in (given.to_learn.values, given.later.values)
        ]
        identity = json.dumps([self.bucket.name, self.stream.name, self.stream.fingerprint, *parts])
        digest = hashlib.sha256(identity.encode()).hexdigest()[:8]
        prefix = dataset_prefix(self.stream.name, day, "training", digest)
        for name, part in zip((_TRAINING, _LATER), parts, strict=True):
            self.bucket.write(f"{prefix}{ROWS}{name}", part)
        rows, columns = given.rows.values.shape
        return Dataset(
            self.stream.name, prefix, digest, forest_name(day, digest), columns, rows, 2, None
        )

    def _model_and_scores(self, dataset: Dataset, day: datetime) -> tuple[str, str]:
        """Train, create the model, and score all rows; return the names of the model and of the job that scored."""
        tags = stack_tags(self.bucket.s3, self.bucket.name)
        rows, name = self.bucket.uri(dataset.prefix + ROWS), self.stream.name
        models = self.bucket.uri(model_prefix(name))

        def attempt(number: int) -> str:
            return job_name(self.training.job_name_prefix, name, day, dataset.digest, number)

        def training_of(job: str) -> Request:
            return training_job_request(
                self.training, job, rows + _TRAINING, models, dataset.dimensions, tags
            )

        trained = TrainingJobs(self.sagemaker)
        begun = start(trained, training_of, attempt, self.clock(), self.training.deadline)
        model = self._completed(trained, begun).name
        artefact = self.bucket.uri(model_artefact_key(name, model))
        create_model(self.sagemaker, self.training, model, artefact, tags)

        def scoring_of(job: str) -> Request:
            scores = self.bucket.uri(scores_prefix(name, job))
            return transform_job_request(self.transform, job, model, rows, scores, tags)

        scored = TransformJobs(self.sagemaker)
        begun = start(scored, scoring_of, attempt, self.clock(), self.transform.deadline)
        return model, self._completed(scored, begun).name

    def _completed(self, jobs: Jobs, job: Job) -> Job:
        self.tell(f"job {job.name} is {job.status}")
        while job.status in _RUNNING:
            if job.overdue:
                stop(jobs, job.name)
                raise Refused(f"job {job.name} has not ended by {job.deadline}, and was stopped")
            self.pause(_LOOKS)
            job = status(jobs, job, self.clock())
        if job.status != "Completed":
            raise Refused(f"job {job.name} ended {job.status}: {job.reason}")
        return job

    def _check(self, trained: Training, *, force: bool) -> None:
        current = self.register.read().version
        if current and not force and (trained.anomalous or 0.0) > MOST_ANOMALOUS:
            raise TrainingRefused(
                f"the new model finds {trained.anomalous:.1%} of the newest records anomalous, more than {MOST_ANOMALOUS:.0%}; model "
                f"{current} still serves. Train again without the incident, or with --force"
            )

    def _publish(self, trained: Training, model: str, dataset: Dataset) -> None:
        """Store features and cutoff, then deploy: a function that meets the new model in an answer finds both."""
        fitted, now = trained.fitted, self.clock()
        self.bucket.write_bytes(self.register.model_key(model), fitted.to_bytes())
        cutoff = fitted.cutoff
        self.deployer.cutoffs.record(
            VariantCutoff(
                model,
                self.stream.fingerprint,
                self.stream.columns,
                cutoff.value,
                cutoff.mean,
                cutoff.standard_deviation,
                column_ranges(self.bucket, dataset),
                trained.records,
                format_timestamp(now),
            )
        )
        tags = stack_tags(self.bucket.s3, self.bucket.name)
        self._wait_until_it_serves(self.deployer.start(model, tags, now))
        self.register.add(fitted, trained.entry(now.timestamp()))
        ModelRetirer(self.sagemaker, self.deployer.cutoffs).retire(model)

    def _wait_until_it_serves(self, deployment: Deployment) -> None:
        name = self.deployer.settings.endpoint_name
        current = self.deployer.status(deployment, self.clock())
        self.tell(f"endpoint {name} is {current.status}, for model {deployment.model}")
        while current.status in _DEPLOYING and not current.overdue:
            self.pause(_LOOKS)
            current = self.deployer.status(deployment, self.clock())
        if not current.serves:
            raise Refused(
                f"endpoint {name} is {current.status} and does not serve model {deployment.model}: {current.reason}"
            )
