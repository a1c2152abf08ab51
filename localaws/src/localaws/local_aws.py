"""The public interface: a context manager with clients, deployments, a clock and faults."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from localaws.autoscaling.service import AutoScaling
from localaws.callers import assume, caller_of
from localaws.calls import CallLog
from localaws.clients import Clients
from localaws.clock import Clock
from localaws.cloudwatch.monitoring import Monitoring
from localaws.cloudwatch.service import CloudWatch
from localaws.deployment import Deployment, placed_in
from localaws.embedded_ministack import EmbeddedMiniStack
from localaws.event_sources.dynamodb_openings import DynamoDBOpenings
from localaws.event_sources.extras import kafka_mappings
from localaws.event_sources.invocations import Invocations
from localaws.event_sources.kinesis_openings import KinesisOpenings
from localaws.event_sources.mappings import EventSourceMappings
from localaws.event_sources.polling import Polling
from localaws.faults import Faults
from localaws.gateway import Gateway, Service
from localaws.glue.behaviour import GlueBehaviour
from localaws.glue.job_runs import JobRunner
from localaws.glue.service import Glue
from localaws.glue.spark import Spark
from localaws.http_server import AsgiApp, HttpServer
from localaws.iam.permissions import Permissions, role_name
from localaws.kinesis.service import Kinesis
from localaws.lambda_runtime.executor import FunctionExecutor
from localaws.limit_checks import check_limits
from localaws.logs.service import Logs
from localaws.ministack_patches import apply_patches, patch_on_first_call
from localaws.ministack_patches.function_targets import FunctionTargets
from localaws.ministack_patches.mails import Mails
from localaws.ministack_patches.patching import Patches
from localaws.ministack_patches.state_execution import abort_executions
from localaws.operator_requests import OperatorRequests
from localaws.sagemaker import SageMakerBehaviour
from localaws.sagemaker.runtime import SageMakerRuntime
from localaws.sagemaker.service import SageMaker
from localaws.schedules import Schedules, fire
from localaws.stacks import Stack
from localaws.table_exports.behaviour import ExportBehaviour
from localaws.table_exports.service import TableExports


class LocalAws:
    """An AWS on loopback with nothing in it, from `start` to `stop`.

    `wait_scale` is the share of every wait that is slept for real (0: waits are skipped, the clock moves on);
    `schedules` lets EventBridge fire its rules on its own as the clock passes their times; `event_sources` lets
    mappings deliver a stream's records automatically; `remembered_calls` bounds the record of calls, for one that
    runs for days; `spark_python` is a Python with PySpark, which runs the scripts of Glue's jobs.
    Set `msk_brokers` to the address of a Kafka broker that all clusters in MSK have.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        region: str = "us-east-1",
        wait_scale: float = 0.0,
        schedules: bool = False,
        event_sources: bool = False,
        sagemaker: SageMakerBehaviour | None = None,
        remembered_calls: int | None = None,
        spark_python: Path | None = None,
    ) -> None:
        self.region = region
        self.clock = Clock(wait_scale)
        self.calls = CallLog(remembered_calls)
        self.msk_brokers = ""
        self.mails = Mails(self.clock)
        self.faults = Faults()
        self.permissions = Permissions(region)
        self.sagemaker = sagemaker or SageMakerBehaviour()
        self.glue, self.exports = GlueBehaviour(), ExportBehaviour()
        self.spark = Spark(spark_python)
        self.cloudwatch = CloudWatch(self.clock, region)
        self.kinesis = Kinesis(self.clock, region, self.permissions.demand)
        self._clients = Clients(region, lambda: self.endpoint_url)
        self._host, self._port = host, port
        self._fires_rules = schedules
        self._schedules: Schedules | None = None
        self._polls = event_sources
        self._mappings: EventSourceMappings | None = None
        self._function_targets: FunctionTargets | None = None
        self._running: ExitStack | None = None
        self._server: HttpServer | None = None
        self._functions: FunctionExecutor | None = None
        self._jobs: SageMaker | None = None
        self._patches: Patches | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        """Let functions that run end, or end them after an error: they may run for a quarter of an hour."""
        if error is not None and self._functions is not None:
            self._functions.close()
        self.stop()

    def start(self) -> None:
        with ExitStack() as starting:
            self._server = server = HttpServer(self._host, self._port)
            starting.callback(server.stop)
            ministack = EmbeddedMiniStack(self.region, server.port)
            app = ministack.start()
            starting.callback(ministack.stop)
            self._functions = functions = FunctionExecutor(
                lambda: self.endpoint_url, self.clock, self.cloudwatch.read_log
            )
            starting.callback(functions.stop)
            self._patches = patches = self._patch(starting, functions)
            starting.callback(self.clock.restore)
            starting.callback(self.spark.stop)
            starting.callback(abort_executions)
            ministack.attach(server.start(self._gateway(app, server, patches, functions)))
            monitoring = Monitoring(self.cloudwatch.pass_time)
            monitoring.start()
            starting.callback(monitoring.stop)
            if self._polls:
                self._poll(starting)
            if self._fires_rules:
                self._schedules = Schedules(self.clock, self.region, self.fire)
                self._schedules.start()
                starting.callback(self._schedules.stop)
            self._running = starting.pop_all()

    def stop(self) -> None:
        if self._running is not None:
            self._running.close()
        self._running = self._server = self._mappings = None
        self._clients.forget()

    @property
    def endpoint_url(self) -> str:
        if self._server is None:
            raise RuntimeError("the local AWS is not running")
        return self._server.url

    @property
    def event_sources(self) -> EventSourceMappings:
        """Return the event source mappings of streams, to deliver records and to disturb their delivery."""
        if self._mappings is None:
            raise RuntimeError("the local AWS is not running")
        return self._mappings

    def client(self, service: str, **config: Any) -> Any:
        """Return a boto3 client of the operator, who may do everything."""
        return self._clients.of_operator(service, **config)

    def client_of(self, role: str, service: str) -> Any:
        """Return a boto3 client that acts in this role."""
        return self._clients.make(service, assume(role, "somebody"))

    def cool_down(self) -> None:
        """Start the next invocation of every function in a new process, as after a long pause."""
        assert self._functions is not None  # noqa: S101 - it is running
        self._functions.cool_down()

    def wait_for_functions(self) -> None:
        """Return when the functions that rules have started, or that were invoked as an event, have ended."""
        if self._function_targets is not None:
            self._function_targets.wait()

    def fire(self, rule: str, at: datetime | None = None) -> list[str]:
        """Fire a scheduled rule as EventBridge would at that time, or now; return the ARNs of the started executions.

        Functions that are targets have ended when it returns.
        """
        started = fire(rule, at or self.clock.now(), self.region)
        self.wait_for_functions()
        return started

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
            s3.create_bucket(Bucket=bucket, **placed_in(self.region))
        deployment = Deployment(self.client("cloudformation"), s3, bucket)
        deployment.deploy(template, stack_name, parameters, tags)
        return Stack(self.client, self.region, stack_name)

    def _s3_of(self, session: str) -> Callable[[str], Any]:
        """Return a function that returns a client of S3 for the jobs of a role."""
        return lambda role_arn: self._clients.make("s3", assume(role_name(role_arn), session))

    def _s3_of_exports(self, role: str | None) -> Any:
        return self.client("s3") if role is None else self.client_of(role, "s3")

    def _poll(self, starting: ExitStack) -> None:
        polling = Polling(self.event_sources, self.clock)
        self.kinesis.listeners.append(lambda _: polling.wake())
        polling.start()
        starting.callback(polling.stop)

    def _patch(self, starting: ExitStack, functions: FunctionExecutor) -> Patches:
        invocations = Invocations(self.region, self.clock, functions)
        self._mappings = EventSourceMappings(
            self.clock, invocations, lambda: self.endpoint_url, self.cloudwatch.record
        )
        self.kinesis.listeners.append(self._mappings.written)
        starting.callback(self.kinesis.listeners.clear)
        starting.callback(self._mappings.stop)
        kinesis = KinesisOpenings(self.kinesis, self.permissions, self._clients.of_mapping)
        dynamodb = DynamoDBOpenings(
            self.region, self.clock, self.permissions, self._clients.of_mapping
        )
        patches = apply_patches(
            self.clock,
            functions,
            self.cloudwatch,
            self.calls,
            self.faults,
            self.permissions,
            self.mails,
            self._mappings,
            {"dynamodb": dynamodb.open, "kinesis": kinesis.open},
            lambda: kafka_mappings(
                self.event_sources,
                invocations,
                self.permissions,
                self._clients.of_mapping,
                self.clock,
            ),
            lambda: self.msk_brokers,
        )
        self._function_targets = FunctionTargets(patches, self.clock)
        starting.callback(patches.undo)
        return patches

    def _gateway(
        self, ministack: AsgiApp, server: HttpServer, patches: Patches, functions: FunctionExecutor
    ) -> Gateway:
        self._jobs = SageMaker(
            self.region,
            self.clock,
            self._s3_of("SageMaker"),
            self.permissions.demand,
            self.sagemaker,
            self.cloudwatch.alarms.in_alarm,
        )
        runtime = SageMakerRuntime(self.clock, self.sagemaker, self._jobs.endpoints)
        exports = TableExports(
            self.region, self.clock, self._s3_of_exports, self.permissions.demand, self.exports
        )
        runs = JobRunner(self.clock, self.spark, self.glue, self._s3_of("GlueJobRunnerSession"))
        scaling = AutoScaling(self.region, self.clock, self._jobs.endpoints.variants)
        self._jobs.endpoints.scaled_variants = scaling.scaled_variants
        services: dict[str, Service] = {
            "application-autoscaling": scaling,
            "cloudwatch": self.cloudwatch,
            "dynamodb": exports,
            "glue": Glue(self.region, runs),
            "kinesis": self.kinesis,
            "logs": Logs(),
            "sagemaker": self._jobs,
            "sagemaker-runtime": runtime,
        }
        return Gateway(
            ministack,
            services,
            self.calls,
            self.faults,
            on_first_call=lambda service: patch_on_first_call(
                patches, service, self.cloudwatch, self.kinesis
            ),
            check_limits=check_limits,
            operator=OperatorRequests(self.fire, self.mails.all),
            caller_of=caller_of,
            permissions=self.permissions,
            hang_up=server.hang_up,
            end_caller=functions.end,
        )
