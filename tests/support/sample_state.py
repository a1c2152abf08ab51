"""What the sample events refer to, made as the steps before each of them make it.

A sample event comes from the middle of a run. The datasets that it names are written here, by the code that writes
them in Store Metric Data, from datapoints that are made up; everything after that is the work of the functions.
"""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import numpy as np

from cutwatch.aws.s3 import Bucket
from cutwatch.datasets.writer import DatasetWriter, Plan
from cutwatch.detectors.detector import Detector
from cutwatch.registry.registry import Registry
from cutwatch.registry.run import Run
from cutwatch.runs.batch import Batch
from cutwatch.settings import StoreMetricDataSettings
from tests.support.sample_events import sample

Invoke = Callable[[str, Mapping[str, Any]], Any]
_DAY = 86_400
_POLL_SECONDS = 0.2


class SampleState:
    """The stores of a deployed stack, filled for one event after the other."""

    def __init__(self, s3: Any, dynamodb: Any, outputs: Mapping[str, str], invoke: Invoke) -> None:
        self._bucket = Bucket(s3, outputs["DataBucketName"])
        self._registry = Registry(dynamodb, outputs["RegistryTableName"])
        self._invoke = invoke
        self._stored: set[str] = set()

    def before(self, function: str) -> None:
        """Do what comes before this function, unless it was done for another."""
        prepare = _BEFORE.get(function)
        if prepare is not None:
            prepare(self)

    def training_rows(self) -> None:
        self._store("register_model", self._sagemaker_detector())

    def trained(self) -> None:
        self.training_rows()
        self._run("start_training_job")
        self._wait("get_training_job_status", sample("get_training_job_status"))

    def model(self) -> None:
        self.trained()
        self._run("create_model")

    def training_scores(self) -> None:
        """The training's own transform job; its sample is the weekly one's."""
        self.model()
        register = sample("register_model")
        weekly = sample("start_transform_job")
        started = self._invoke(
            "start_transform_job",
            {**weekly, "run": register["run"], "data": register["datasets"][0]},
        )
        self._wait("get_transform_job_status", {**register, "job": started, "now": weekly["now"]})

    def registered(self) -> None:
        self.training_scores()
        self._run("register_model")

    def transform_rows(self) -> None:
        self.registered()
        self._store("publish_anomalies", self._sagemaker_detector())

    def transformed(self) -> None:
        self.transform_rows()
        self._run("start_transform_job")
        self._wait("get_transform_job_status", sample("get_transform_job_status"))

    def published(self) -> None:
        self.transformed()
        self._run("publish_anomalies")

    def forest_rows(self) -> None:
        self._store("train_forest", self._forest_detector())

    def forest(self) -> None:
        self.forest_rows()
        trained = sample("train_forest")
        self._run("train_forest")
        nothing = {"name": None}
        self._invoke("register_model", {**trained, "model": nothing, "scoring": nothing})
        self._store("score_forest", self._forest_detector())

    def run_is_open(self) -> None:
        self._run("list_detectors")

    def _run(self, *functions: str) -> None:
        for function in functions:
            self._invoke(function, sample(function))

    def _wait(self, function: str, event: Mapping[str, Any]) -> None:
        while self._invoke(function, event)["status"] == "InProgress":
            time.sleep(_POLL_SECONDS)

    def _store(self, event_name: str, detector: Detector) -> None:
        if event_name in self._stored:
            return
        self._stored.add(event_name)
        event = sample(event_name)
        run = Run.from_payload(event["run"])
        named = event["datasets"][0]
        settings = StoreMetricDataSettings("", self._bucket.name, 15, 7)
        writer = _NamedDatasetWriter(
            _MadeUpMetrics(),
            self._bucket,
            settings,
            Batch(self._registry, run),
            run.opened_at,
            named["digest"],
        )
        [stored] = writer.store([detector])
        assert stored.prefix == named["prefix"]

    @staticmethod
    def _sagemaker_detector() -> Detector:
        return Detector.from_payload(sample("start_training_job")["detector"])

    @staticmethod
    def _forest_detector() -> Detector:
        payload = sample("start_training_job")["detector"]
        return Detector.from_payload(payload | {"name": "checkout-errors", "engine": "lambda"})


class _NamedDatasetWriter(DatasetWriter):
    """Writes under the digest of the sample, which another bucket's name went into."""

    def __init__(
        self,
        cloudwatch: Any,
        bucket: Bucket,
        settings: StoreMetricDataSettings,
        batch: Batch,
        now: datetime,
        digest: str,
    ) -> None:
        super().__init__(cloudwatch, bucket, settings, batch, now)
        object.__setattr__(self, "_named", digest)

    def _digest(self, plan: Plan) -> str:
        return str(self._named)  # type: ignore[attr-defined]


class _MadeUpMetrics:
    """A CloudWatch in which every metric has a daily rhythm and some noise."""

    def get_metric_data(self, **request: Any) -> dict[str, Any]:
        queries = request["MetricDataQueries"]
        return {"MetricDataResults": [_result(query, request) for query in queries]}


def _result(query: Mapping[str, Any], request: Mapping[str, Any]) -> dict[str, Any]:
    start, end = request["StartTime"].timestamp(), request["EndTime"].timestamp()
    epochs = np.arange(start, end, query["MetricStat"]["Period"])
    noise = np.random.default_rng(7).normal(0, 5, len(epochs))
    values = 100 + 40 * np.sin(2 * np.pi * epochs / _DAY) + noise
    zone = request["StartTime"].tzinfo
    return {
        "Id": query["Id"],
        "StatusCode": "Complete",
        "Timestamps": [datetime.fromtimestamp(epoch, zone) for epoch in epochs],
        "Values": values.tolist(),
    }


_BEFORE: Mapping[str, Callable[[SampleState], None]] = {
    "store_metric_data": SampleState.registered,
    "start_training_job": SampleState.training_rows,
    "get_training_job_status": SampleState.trained,
    "stop_training_job": SampleState.trained,
    "create_model": SampleState.trained,
    "register_model": SampleState.training_scores,
    "start_transform_job": SampleState.transform_rows,
    "get_transform_job_status": SampleState.transformed,
    "stop_transform_job": SampleState.transformed,
    "publish_anomalies": SampleState.transformed,
    "train_forest": SampleState.forest_rows,
    "score_forest": SampleState.forest,
    "summarize_run": SampleState.run_is_open,
    "draw_widget": SampleState.published,
}
