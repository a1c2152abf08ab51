"""The public interface: a context manager with clients, deployments, a clock and faults."""

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Self

import boto3
import botocore.session
from botocore.config import Config

from localaws.callers import OPERATOR_CREDENTIALS, Credentials, assume, caller_of
from localaws.calls import CallLog
from localaws.clock import Clock
from localaws.cloudwatch.monitoring import Monitoring
from localaws.cloudwatch.service import CloudWatch
from localaws.deployment import Deployment
from localaws.embedded_ministack import EmbeddedMiniStack
from localaws.faults import Faults
from localaws.gateway import Gateway, Service
from localaws.http_server import AsgiApp, HttpServer
from localaws.iam.permissions import Permissions, role_name
from localaws.lambda_runtime.executor import FunctionExecutor
from localaws.limit_checks import check_limits
from localaws.ministack_patches import apply_patches, patch_on_first_call
from localaws.ministack_patches.mails import Mails
from localaws.ministack_patches.patching import Patches
from localaws.ministack_patches.state_execution import abort_executions
from localaws.operator_requests import OperatorRequests
from localaws.sagemaker import SageMakerBehaviour
from localaws.sagemaker.runtime import SageMakerRuntime
from localaws.sagemaker.service import SageMaker
from localaws.schedules import Schedules, fire
from localaws.stacks import Stack


class LocalAws:
    """An AWS on loopback with nothing in it, from `start` to `stop`.

    `wait_scale` is the share of every wait that is slept for real (0: waits are skipped, the clock moves on);
    `schedules` lets EventBridge fire its rules by itself as the clock passes their times; `remembered_calls`
    bounds the record of calls, for one that runs for days.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        region: str = "us-east-1",
        wait_scale: float = 0.0,
        schedules: bool = False,
        sagemaker: SageMakerBehaviour | None = None,
        remembered_calls: int | None = None,
    ) -> None:
        self.region = region
        self.clock = Clock(wait_scale)
        self.calls = CallLog(remembered_calls)
        self.mails = Mails(self.clock)
        self.faults = Faults()
        self.permissions = Permissions(region)
        self.sagemaker = sagemaker or SageMakerBehaviour()
        self.cloudwatch = CloudWatch(self.clock, region)
        self._session = _session_of_its_own()
        self._host, self._port = host, port
        self._schedules = schedules
        self._running: ExitStack | None = None
        self._server: HttpServer | None = None
        self._functions: FunctionExecutor | None = None
        self._jobs: SageMaker | None = None
        self._patches: Patches | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        with ExitStack() as starting:
            self._server = server = HttpServer(self._host, self._port)
            starting.callback(server.stop)
            ministack = EmbeddedMiniStack(self.region, server.port)
            app = ministack.start()
            starting.callback(ministack.stop)
            self._functions = functions = FunctionExecutor(lambda: self.endpoint_url, self.clock)
            starting.callback(functions.stop)
            self._patches = patches = self._patch(starting, functions)
            starting.callback(self.clock.restore)
            starting.callback(abort_executions)
            ministack.attach(server.start(self._gateway(app, server, patches, functions)))
            monitoring = Monitoring(self.cloudwatch.pass_time)
            monitoring.start()
            starting.callback(monitoring.stop)
            if self._schedules:
                schedules = Schedules(self.clock, self.region)
                schedules.start()
                starting.callback(schedules.stop)
            self._running = starting.pop_all()

    def stop(self) -> None:
        if self._running is not None:
            self._running.close()
        self._running = self._server = None

    @property
    def endpoint_url(self) -> str:
        if self._server is None:
            raise RuntimeError("the local AWS is not running")
        return self._server.url

    def client(self, service: str, **config: Any) -> Any:
        """Return a boto3 client of the operator, who may do everything."""
        return self._client(service, OPERATOR_CREDENTIALS, **config)

    def client_of(self, role: str, service: str) -> Any:
        """Return a boto3 client that acts in this role."""
        return self._client(service, assume(role, "somebody"))

    def cool_down(self) -> None:
        """Start the next invocation of every function in a new process, as after a long pause."""
        assert self._functions is not None  # noqa: S101 - it is running
        self._functions.cool_down()

    def fire(self, rule: str, at: datetime | None = None) -> list[str]:
        """Fire a scheduled rule as EventBridge would at that time, or now; return the ARNs of the started executions."""
        return fire(rule, at or self.clock.now(), self.region)

    def variants_in_service(self) -> Mapping[str, Sequence[str]]:
        """Return the names of the variants that may answer a request now, by SageMaker endpoint."""
        assert self._jobs is not None  # noqa: S101 - it is running
        return self._jobs.endpoints.in_service()

    def deploy(
        self,
        template: Path,
        *,
        stack_name: str,
        parameters: Mapping[str, str] = MappingProxyType({}),
        tags: Mapping[str, str] = MappingProxyType({}),
    ) -> Stack:
        """Package and deploy a SAM template; raise DeploymentFailed, which names what is not implemented here."""
        if self._functions is not None:
            self._functions.prepare()
        s3 = self.client("s3")
        bucket = f"local-artefacts-{self.region}"
        if bucket not in {known["Name"] for known in s3.list_buckets()["Buckets"]}:
            s3.create_bucket(Bucket=bucket, **_placed_in(self.region))
        deployment = Deployment(self.client("cloudformation"), s3, bucket)
        deployment.deploy(template, stack_name, parameters, tags)
        return Stack(self.client, self.region, stack_name)

    def _client(self, service: str, caller: Credentials, **config: Any) -> Any:
        return self._session.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self.endpoint_url,
            region_name=self.region,
            config=Config(**config),
            aws_access_key_id=caller.access_key,
            aws_secret_access_key=caller.secret_key,
            aws_session_token=caller.token or None,
        )

    def _s3_of_jobs(self, role_arn: str) -> Any:
        return self._client("s3", assume(role_name(role_arn), "SageMaker"))

    def _patch(self, starting: ExitStack, functions: FunctionExecutor) -> Patches:
        patches = apply_patches(
            self.clock,
            functions,
            self.cloudwatch,
            self.calls,
            self.faults,
            self.permissions,
            self.mails,
        )
        starting.callback(patches.undo)
        return patches

    def _gateway(
        self, ministack: AsgiApp, server: HttpServer, patches: Patches, functions: FunctionExecutor
    ) -> Gateway:
        self._jobs = SageMaker(
            self.region,
            self.clock,
            self._s3_of_jobs,
            self.permissions.demand,
            self.sagemaker,
            self.cloudwatch.alarms.in_alarm,
        )
        runtime = SageMakerRuntime(self.clock, self.sagemaker, self._jobs.endpoints)
        services: dict[str, Service] = {
            "cloudwatch": self.cloudwatch,
            "sagemaker": self._jobs,
            "sagemaker-runtime": runtime,
        }
        return Gateway(
            ministack,
            services,
            self.calls,
            self.faults,
            on_first_call=lambda service: patch_on_first_call(patches, service, self.cloudwatch),
            check_limits=check_limits,
            operator=OperatorRequests(self.fire, self.mails.all),
            caller_of=caller_of,
            permissions=self.permissions,
            hang_up=server.hang_up,
            end_caller=functions.end,
        )


def _placed_in(region: str) -> dict[str, Any]:
    """Return CreateBucket's parameters for a region; us-east-1 must not be named."""
    if region == "us-east-1":
        return {}
    return {"CreateBucketConfiguration": {"LocationConstraint": region}}


def _session_of_its_own() -> boto3.Session:
    """Return a session without the user's profiles and settings."""
    own = {
        "profile": (None, None, None, None),
        "config_file": (None, None, os.devnull, None),
        "credentials_file": (None, None, os.devnull, None),
    }
    return boto3.Session(botocore_session=botocore.session.Session(session_vars=own))
