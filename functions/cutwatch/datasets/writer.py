"""Writing datasets: metrics from CloudWatch become feature rows in S3."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from cutwatch.aws.limits import GET_METRIC_DATA_MAX_DATAPOINTS
from cutwatch.aws.s3 import Bucket
from cutwatch.datasets.dataset import Dataset
from cutwatch.datasets.description import Description, TrainingDescription, WindowDescription
from cutwatch.datasets.insufficient_data import (
    no_data,
    no_longer_kept,
    untrained,
    up_to_date,
    why_not_score,
    why_not_train,
)
from cutwatch.datasets.keys import dataset_digest, dataset_prefix, forest_name
from cutwatch.datasets.storage import find_dataset, store_dataset
from cutwatch.detection.sigma_threshold import Cutoff
from cutwatch.detection.thresholds import Threshold
from cutwatch.detectors.detector import Detector
from cutwatch.errors import CutwatchError, MalformedObject, ModelMissing, NotFound
from cutwatch.features.predictability import why_unpredictable
from cutwatch.features.recipe import FeatureRecipe, FeatureRows
from cutwatch.registry.detector_record import DetectorRecord, Model
from cutwatch.registry.outcome import Outcome
from cutwatch.registry.registry import Registry
from cutwatch.registry.run import Run
from cutwatch.runs.batch import Batch
from cutwatch.settings import StoreMetricDataSettings
from cutwatch.timeseries.queries import query_count
from cutwatch.timeseries.reader import Read, read_many
from cutwatch.timeseries.series import Series
from cutwatch.timeseries.windows import (
    Window,
    earliest_readable,
    lead_in_start,
    newest_end,
    training_window,
    transform_window,
)
from cutwatch.timestamps import format_timestamp, parse_timestamp

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient


@dataclass(frozen=True)
class Plan:
    """A dataset to be stored: the window, the start of the data to read, and, for a transform, the model and its recipe."""

    detector: Detector
    window: Window
    read_from: datetime
    record: DetectorRecord
    model: Model | None = None
    recipe: FeatureRecipe | None = None


@dataclass(frozen=True)
class DatasetWriter:
    """Stores datasets of one run. `training_failure` is the reason for which training on demand failed, if it did."""

    cloudwatch: "CloudWatchClient"
    bucket: Bucket
    settings: StoreMetricDataSettings
    batch: Batch
    now: datetime
    training_failure: str | None = None

    @property
    def run(self) -> Run:
        """The run of the batch."""
        return self.batch.run

    @property
    def registry(self) -> Registry:
        """The registry of the batch."""
        return self.batch.registry

    def store(self, detectors: Sequence[Detector]) -> list[Dataset]:
        """Store a dataset for each detector, once; return the datasets for the next states.

        A detector without enough data, or with an error, has an outcome instead.
        """
        found: list[Plan | Dataset] = self.batch.each(detectors, lambda d: d.name, self._plan)
        plans = [each for each in found if isinstance(each, Plan)]
        done = [each for each in found if not isinstance(each, Plan)]
        observed = (
            (plan, one)
            for together in _read_together(plans)
            for plan, one in self._observed(together)
        )
        return done + self.batch.each(
            observed, lambda pair: pair[0].detector.name, lambda pair: self._write_observed(*pair)
        )

    def _observed(self, together: Sequence[Plan]) -> Iterator[tuple[Plan, Series | CutwatchError]]:
        detectors = [plan.detector for plan in together]
        start, end = together[0].read_from, together[0].window.end
        read: Read
        try:
            read = read_many(self.cloudwatch, detectors, start, end, apart=self.batch.last_try)
        except CutwatchError as error:
            read = dict.fromkeys((detector.name for detector in detectors), error)
        return ((plan, read[plan.detector.name]) for plan in together)

    def _plan(self, detector: Detector) -> Plan | Dataset | Outcome:
        plan_for = self._plan_training if self.run.kind == "training" else self._plan_transform
        plan = plan_for(detector, self.registry.detectors.get(detector.name))
        if isinstance(plan, Outcome):
            return plan
        return find_dataset(self.bucket, self._prefix(plan)) or plan

    def _plan_training(self, detector: Detector, record: DetectorRecord) -> Plan | Outcome:
        unpublished = self.settings.first_window if self.run.on_demand else timedelta()
        newest = newest_end(detector, self.run.scheduled, self.settings.data_delay)
        window = training_window(
            detector, newest, record.published_through, unpublished, self.run.opened_at
        )
        read_from = self._readable(detector, window.start)
        if read_from >= window.end:
            return no_longer_kept(detector, window.end)
        return Plan(detector, window, read_from, record)

    def _plan_transform(self, detector: Detector, record: DetectorRecord) -> Plan | Outcome:
        model = record.usable_model(detector.fingerprint)
        if model is None:
            return untrained(self.registry, self.run, detector, self.training_failure)
        window = transform_window(
            detector,
            newest_end(detector, self.run.scheduled, self.settings.data_delay),
            self.run.opened_at,
            record.published_through,
            parse_timestamp(model.trained_through),
        )
        if window.is_empty:
            return up_to_date(detector, record.published_through, window)
        recipe = self._recipe_of(detector, model)
        read_from = self._readable(detector, lead_in_start(detector.period, window.start))
        return Plan(detector, window, read_from, record, model, recipe)

    def _readable(self, detector: Detector, start: datetime) -> datetime:
        """Return the start of a read: a repeated run keeps its "now", but CloudWatch counts retention from the call."""
        return max(start, earliest_readable(detector.period, self.now))

    def _files(self, detector: Detector, rows: int) -> int:
        """Return the number of objects of rows: one per instance, none empty, because SageMaker fails on those."""
        wanted = self.settings.row_files if detector.engine == "sagemaker" else 1
        return max(min(wanted, rows), 1)

    def _recipe_of(self, detector: Detector, model: Model) -> FeatureRecipe:
        try:
            return FeatureRecipe.from_payload(self.bucket.read_json(model.recipe))
        except (NotFound, MalformedObject, KeyError, TypeError, ValueError) as error:
            self.registry.detectors.remove_models(detector.name, {model.name})
            raise ModelMissing(
                f"the recipe of model {model.name} is no longer at {self.bucket.uri(model.recipe)} "
                f"({error}); the model was taken out of the registry, and the next transform "
                "trains a new one"
            ) from error

    def _write_observed(self, plan: Plan, observed: Series | CutwatchError) -> Dataset | Outcome:
        if not isinstance(observed, Series):
            raise observed
        if plan.model and plan.recipe:
            return self._write_window(plan, plan.model, plan.recipe, observed)
        return self._write_history(plan, observed)

    def _write_history(self, plan: Plan, observed: Series) -> Dataset | Outcome:
        detector = plan.detector
        observed = observed.from_first()
        usable = observed.usable(detector)
        if not (observed.reported and usable.reported):
            return no_data(self.cloudwatch, detector, plan.window)
        recipe = FeatureRecipe.fit(
            usable, detector.features, detector.shingle_size, detector.time_zone, detector.engine
        )
        rows = recipe.transform(usable)
        outcome = why_not_train(detector, observed, len(rows.rows))
        if outcome:
            return outcome
        remark = why_unpredictable(usable)
        fields = self._described(plan, observed, recipe, rows)
        return self._write(TrainingDescription(**fields, remark=remark), rows)

    def _write_window(
        self, plan: Plan, model: Model, recipe: FeatureRecipe, observed: Series
    ) -> Dataset | Outcome:
        detector, window = plan.detector, plan.window
        start = int(window.start.timestamp())
        observed = observed.from_first(recipe.first)
        rows = recipe.transform(observed.usable(detector), start)
        inside = int(np.count_nonzero(rows.epochs >= start))
        outcome = why_not_score(self.cloudwatch, detector, window, observed, inside)
        if outcome:
            return outcome
        rows = rows if inside else rows.none()
        description = WindowDescription(
            **self._described(plan, observed, recipe, rows),
            model=model.name,
            checkpoint=plan.record.checkpoint_of(model),
            threshold=_threshold_of(model),
            lost_periods=window.lost_periods,
        )
        return self._write(description, rows)

    def _described(
        self, plan: Plan, observed: Series, recipe: FeatureRecipe, rows: FeatureRows
    ) -> dict[str, Any]:
        """Return the fields that training and window datasets have in common."""
        digest = self._digest(plan)
        dataset = Dataset(
            detector=plan.detector.name,
            prefix=self._prefix(plan),
            digest=digest,
            forest=forest_name(self.run.scheduled, digest),
            dimensions=recipe.dimensions,
            rows=len(rows.rows),
            files=self._files(plan.detector, len(rows.rows)),
            model=plan.model.name if plan.model else None,
        )
        return {
            "dataset": dataset,
            "detector": plan.detector,
            "start": plan.window.start,
            "end": plan.window.end,
            "recipe": recipe,
            "observed": observed,
        }

    def _write(self, description: Description, rows: FeatureRows) -> Dataset:
        store_dataset(self.bucket, description, rows)
        return description.dataset

    def _digest(self, plan: Plan) -> str:
        window = plan.window
        return dataset_digest(
            self.bucket.name,
            plan.detector,
            self.run.kind,
            format_timestamp(window.start),
            format_timestamp(window.end),
        )

    def _prefix(self, plan: Plan) -> str:
        return dataset_prefix(
            plan.detector.name, self.run.scheduled, self.run.kind, self._digest(plan)
        )


def _read_together(plans: Sequence[Plan]) -> Iterator[list[Plan]]:
    """Group plans by window, as many in a group as fill one response of GetMetricData."""
    windows: dict[tuple[datetime, datetime], list[Plan]] = defaultdict(list)
    for plan in plans:
        windows[plan.read_from, plan.window.end].append(plan)
    for (start, end), alike in windows.items():
        most = max(
            (end - start).total_seconds() // plan.detector.period * query_count(plan.detector)
            for plan in alike
        )
        together = max(int(GET_METRIC_DATA_MAX_DATAPOINTS // max(most, 1)), 1)
        for first in range(0, len(alike), together):
            yield alike[first : first + together]


def _threshold_of(model: Model) -> Threshold:
    return Threshold(
        model.cutoff_method,
        Cutoff.from_payload(model.cutoff),
    )
