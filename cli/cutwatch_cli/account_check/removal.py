"""Removal of all that a check made, whatever state it is in."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from cutwatch_cli.account_check.throwaway import Throwaway
from cutwatch_cli.stacks.account import error_code, explanation

_JOB_LOGS = ("/aws/sagemaker/TrainingJobs", "/aws/sagemaker/TransformJobs")
_ABSENT = ("NoSuchBucket", "ResourceNotFoundException")
_WAIT = {"Delay": 3, "MaxAttempts": 400}

Result = TypeVar("Result")


def remove(throwaway: Throwaway) -> list[str]:
    """Remove everything; return a sentence for each part that remains. No part keeps the others from being removed."""
    removal = _Removal(throwaway)
    resources = removal.attempt("the list of the stack's resources", removal.resources) or {}
    machines = resources.get("AWS::StepFunctions::StateMachine", [])
    removal.attempt("running executions", lambda: removal.stop_executions(machines))
    removal.attempt("running SageMaker jobs", removal.stop_jobs)
    removal.attempt("SageMaker models", removal.delete_models)
    removal.attempt(f"stack {throwaway.stack}", removal.delete_stack)
    removal.attempt("log streams of SageMaker jobs", removal.delete_job_logs)
    for bucket in [*resources.get("AWS::S3::Bucket", []), throwaway.artefacts]:
        removal.attempt(f"bucket {bucket}", partial(removal.delete_bucket, bucket))
    return removal.remaining


class _Removal:
    def __init__(self, throwaway: Throwaway) -> None:
        self.remaining: list[str] = []
        self._throwaway = throwaway
        self._client = throwaway.account.client

    def attempt(self, what: str, act: Callable[[], Result]) -> Result | None:
        try:
            return act()
        except (ClientError, BotoCoreError) as error:
            if not (isinstance(error, ClientError) and error_code(error) in _ABSENT):
                reason = explanation(error, self._throwaway.account.region)
                self.remaining.append(f"{what}: {reason}")
            return None

    def resources(self) -> dict[str, list[str]]:
        """Return the physical ids of the stack's resources by type; none if there is no stack."""
        found: dict[str, list[str]] = {}
        pages = self._client("cloudformation").get_paginator("list_stack_resources")
        try:
            for page in pages.paginate(StackName=self._throwaway.stack):
                for each in page["StackResourceSummaries"]:
                    if each.get("PhysicalResourceId"):
                        found.setdefault(each["ResourceType"], []).append(
                            each["PhysicalResourceId"]
                        )
        except ClientError as error:
            if "does not exist" not in str(error):
                raise
        return found

    def stop_executions(self, machines: Sequence[str]) -> None:
        stepfunctions = self._client("stepfunctions")
        for machine in machines:
            running = stepfunctions.list_executions(stateMachineArn=machine, statusFilter="RUNNING")
            for execution in running["executions"]:
                stepfunctions.stop_execution(executionArn=execution["executionArn"])

    def stop_jobs(self) -> None:
        sagemaker = self._client("sagemaker")
        trainings = self._own(
            sagemaker.list_training_jobs, "TrainingJobSummaries", "TrainingJobName"
        )
        for job in trainings:
            if job["TrainingJobStatus"] == "InProgress":
                sagemaker.stop_training_job(TrainingJobName=job["TrainingJobName"])
        transforms = self._own(
            sagemaker.list_transform_jobs, "TransformJobSummaries", "TransformJobName"
        )
        for job in transforms:
            if job["TransformJobStatus"] == "InProgress":
                sagemaker.stop_transform_job(TransformJobName=job["TransformJobName"])

    def delete_models(self) -> None:
        sagemaker = self._client("sagemaker")
        for model in list(self._own(sagemaker.list_models, "Models", "ModelName")):
            sagemaker.delete_model(ModelName=model["ModelName"])

    def _own(self, listed: Callable[..., Any], key: str, name: str) -> Iterator[Any]:
        prefix = f"{self._throwaway.job_prefix}-"
        answer = listed(NameContains=prefix, MaxResults=100)
        yield from (each for each in answer[key] if each[name].startswith(prefix))

    def delete_stack(self) -> None:
        cloudformation, name = self._client("cloudformation"), self._throwaway.stack
        cloudformation.delete_stack(StackName=name)
        cloudformation.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig=_WAIT)

    def delete_job_logs(self) -> None:
        logs = self._client("logs")
        for group in _JOB_LOGS:
            pages = logs.get_paginator("describe_log_streams")
            for page in pages.paginate(
                logGroupName=group, logStreamNamePrefix=f"{self._throwaway.job_prefix}-"
            ):
                for stream in page["logStreams"]:
                    logs.delete_log_stream(
                        logGroupName=group, logStreamName=stream["logStreamName"]
                    )

    def delete_bucket(self, bucket: str) -> None:
        s3 = self._client("s3")
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            versions = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            objects = [{"Key": v["Key"], "VersionId": v["VersionId"]} for v in versions]
            if objects:
                s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
        s3.delete_bucket(Bucket=bucket)
