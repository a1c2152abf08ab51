"""Deploying a SAM template through CloudFormation, as `sam build` and `sam deploy` do."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from localaws.packaging import Packager
from localaws.template_file import read_template

_CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
_POLL_SECONDS = 0.02
_SECONDS_TO_DEPLOY = 120.0


class DeploymentFailed(Exception):
    """CloudFormation refused the template, or created it only in part; the message says what and why."""


class Deployment:
    """One deployment of one template."""

    def __init__(self, cloudformation: Any, s3: Any, bucket: str) -> None:
        self._cloudformation = cloudformation
        self._s3 = s3
        self._bucket = bucket

    def deploy(
        self, path: Path, stack: str, parameters: Mapping[str, str], tags: Mapping[str, str]
    ) -> None:
        """Create or update the stack and return when it is complete."""
        packager = Packager(self._s3, self._bucket, path.parent)
        request = {
            "StackName": stack,
            "TemplateURL": packager.upload_template(packager.package(read_template(path))),
            "Capabilities": _CAPABILITIES,
            "Parameters": [
                {"ParameterKey": key, "ParameterValue": str(value)}
                for key, value in parameters.items()
            ],
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        }
        if self._submit(request):
            self._wait(stack)

    def _submit(self, request: dict[str, Any]) -> bool:
        """Hand the template over; False when there is nothing to change."""
        submit = (
            self._cloudformation.update_stack
            if self._exists(request["StackName"])
            else self._cloudformation.create_stack
        )
        try:
            submit(**request)
        except ClientError as error:
            message = error.response["Error"]["Message"]
            if "No updates are to be performed" in message:
                return False
            raise DeploymentFailed(message) from error
        return True

    def _exists(self, stack: str) -> bool:
        try:
            self._cloudformation.describe_stacks(StackName=stack)
        except ClientError:
            return False
        return True

    def _wait(self, stack: str) -> None:
        deadline = time.monotonic() + _SECONDS_TO_DEPLOY
        while (status := self._status(stack)).endswith("_IN_PROGRESS"):
            if time.monotonic() > deadline:
                raise DeploymentFailed(f"{stack} is still {status} after {_SECONDS_TO_DEPLOY} s")
            time.sleep(_POLL_SECONDS)
        if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            raise DeploymentFailed(f"{stack} ended {status}: {self._reasons(stack)}")

    def _status(self, stack: str) -> str:
        return str(
            self._cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
        )

    def _reasons(self, stack: str) -> str:
        events = self._cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
        return "; ".join(
            f"{event['LogicalResourceId']} ({event['ResourceType']}): {event['ResourceStatusReason']}"
            for event in reversed(events)
            if event["ResourceStatus"].endswith("_FAILED") and event.get("ResourceStatusReason")
        )


def placed_in(region: str) -> dict[str, Any]:
    """Return CreateBucket's parameters for a region; us-east-1 must not be named."""
    if region == "us-east-1":
        return {}
    return {"CreateBucketConfiguration": {"LocationConstraint": region}}
