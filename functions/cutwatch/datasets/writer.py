"""Pulls metrics into S3: what a training or a transform reads of each detector, and how it was made."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from cutwatch.aws.limits import GET_METRIC_DATA_MAX_DATAPOINTS
from cutwatch.aws.s3 import Bucket
from cutwatch.datasets.insufficient_data import untrained, up_to_date, why_not_score, why_not_train
from cutwatch.datasets.keys import dataset_digest, dataset_prefix, forest_name
from cutwatch.datasets.storage import find_description, store_dataset
from cutwatch.detection.adaptive_threshold import DEFAULT
from cutwatch.detectors.detector import Detector
from cutwatch.errors import CutwatchError, MalformedObject, ModelMissing, NotFound
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
    newest_end,
    training_window,
    transform_window,
)
from cutwatch.timestamps import format_timestamp, parse_timestamp

Summary = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """A dataset to be stored: what is read from CloudWatch for which window, and, if it is to be scored, by which model."""

    detector: Detector
    window: Window
    read_from: datetime
    record: DetectorRecord
    model: Model | None = None
    recipe: FeatureRecipe | None = None


@dataclass(frozen=True)
class DatasetWriter:
    """Stores datasets of one run, with all that it needs from outside; `training_failure` is why training on demand failed, if so."""

    cloudwatch: Any
    bucket: Bucket
    settings: StoreMetricDataSettings
    batch: Batch
    now: datetime
    training_failure: str | None = None

    @property
    def run(self) -> Run:
        """Whose datasets they are."""
        return self.batch.run

    @property
    def registry(self) -> Registry:
        """What is known of the detectors."""
        return self.batch.registry

    def store(self, detectors: Sequence[Detector]) -> list[Summary]:
        """Store a dataset for each detector, once; returns what the next states need of them.

        A detector of which there is nothing to store, or whose storing fails, has an outcome instead.
        """
        found: list[Plan | Summary] = self.batch.each(detectors, lambda d: d.name, self._plan)
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

    def _plan(self, detector: Detector) -> Plan | Summary | Outcome:
        plan_for = self._plan_training if self.run.kind == "training" else self._plan_transform
        plan = plan_for(detector, self.registry.detector(detector.name))
        if isinstance(plan, Outcome):
            return plan
        stored = find_description(self.bucket, self._prefix(plan))
        return plan if stored is None else _summary(stored)

    def _plan_training(self, detector: Detector, record: DetectorRecord) -> Plan:
        unpublished = self.settings.first_window if self.run.on_demand else timedelta()
        newest = newest_end(detector, self.run.scheduled, self.settings.data_delay)
        window = training_window(
            detector, newest, record.published_through, unpublished, self.run.moment
        )
        return Plan(detector, window, self._readable(detector, window.start), record)

    def _plan_transform(self, detector: Detector, record: DetectorRecord) -> Plan | Outcome:
        model = record.usable_model(detector.fingerprint)
        if model is None:
            return untrained(self.registry, self.run, detector, self.training_failure)
        window = transform_window(
            detector,
            newest_end(detector, self.run.scheduled, self.settings.data_delay),
            self.run.moment,
            record.published_through,
            parse_timestamp(model.trained_through),
        )
        if window.is_empty:
            return up_to_date(detector, record.published_through)
        recipe = self._recipe_of(detector, model)
        read_from = self._readable(detector, window.start - _lead_in(detector, recipe))
        return Plan(detector, window, read_from, record, model, recipe)

    def _readable(self, detector: Detector, start: datetime) -> datetime:
        """A repeated run has its own "now", but CloudWatch counts retention from the call."""
        return max(start, earliest_readable(detector.period, self.now))

    def _recipe_of(self, detector: Detector, model: Model) -> FeatureRecipe:
        try:
            return FeatureRecipe.from_payload(self.bucket.read_json(model.recipe))
        except (NotFound, MalformedObject, KeyError, TypeError, ValueError) as error:
            self.registry.remove_models(detector.name, {model.name})
            raise ModelMissing(
                f"the recipe of model {model.name} is no longer at {self.bucket.uri(model.recipe)} "
                f"({error}); the model was taken out of the registry, and the next transform "
                "trains a new one"
            ) from error

    def _write_observed(self, plan: Plan, observed: Series | CutwatchError) -> Summary | Outcome:
        if not isinstance(observed, Series):
            raise observed
        if plan.model and plan.recipe:
            return self._write_window(plan, plan.model, plan.recipe, observed)
        return self._write_history(plan, observed)

    def _write_history(self, plan: Plan, observed: Series) -> Summary | Outcome:
        detector = plan.detector
        usable = observed.usable(detector)
        recipe = FeatureRecipe.fit(
            usable, detector.features, detector.shingle_size, detector.time_zone
        )
        rows = recipe.transform(usable)
        outcome = why_not_train(self.cloudwatch, detector, plan.window, observed, len(rows.rows))
        if outcome:
            return outcome
        return self._write(plan, observed, recipe, rows, {"constant": _is_constant(observed)})

    def _write_window(
        self, plan: Plan, model: Model, recipe: FeatureRecipe, observed: Series
    ) -> Summary | Outcome:
        detector, window = plan.detector, plan.window
        rows = recipe.transform(observed.usable(detector))
        inside = int(np.count_nonzero(rows.epochs >= int(window.start.timestamp())))
        outcome = why_not_score(self.cloudwatch, detector, window, observed, inside)
        if outcome:
            return outcome
        judged = {
            "model": model.name,
            "state": plan.record.state_of(model),
            "baseline": dict(model.baseline),
            "cutoff": dict(model.cutoff),
            "cutoff_method": model.cutoff_method,
            "follows": plan.record.published_through == window.start,
            "lost_periods": window.lost_periods,
        }
        return self._write(plan, observed, recipe, rows if inside else rows.none(), judged)

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

    def _write(
        self,
        plan: Plan,
        observed: Series,
        recipe: FeatureRecipe,
        rows: FeatureRows,
        details: Mapping[str, Any],
    ) -> Summary:
        digest = self._digest(plan)
        # SageMaker fails on an object without rows.
        wanted = self.settings.row_files if plan.detector.engine == "sagemaker" else 1
        files = max(min(wanted, len(rows.rows)), 1)
        description = {
            "prefix": self._prefix(plan),
            "digest": digest,
            "forest": forest_name(self.run.scheduled, digest),
            "detector": plan.detector.to_payload(),
            "start": format_timestamp(plan.window.start),
            "end": format_timestamp(plan.window.end),
            "recipe": recipe.to_payload(),
            "dimensions": recipe.dimensions,
            "rows": len(rows.rows),
            "files": files,
            "model": None,
            "reported": observed.reported,
            "series_start": format_timestamp(observed.start),
            "values": [None if np.isnan(v) else v for v in observed.values.tolist()],
            **details,
        }
        store_dataset(self.bucket, description["prefix"], rows, files, description)
        return _summary(description)


def _read_together(plans: Sequence[Plan]) -> Iterator[list[Plan]]:
    """Plans of one window, as many as fill one response of GetMetricData."""
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


def _lead_in(detector: Detector, recipe: FeatureRecipe) -> timedelta:
    periods = recipe.lead_in
    if detector.cutoff.method == "adaptive":
        periods += -(-DEFAULT.lead_in_seconds // detector.period)
    return timedelta(seconds=detector.period * periods)


def _summary(description: Mapping[str, Any]) -> Summary:
    """What the next states need: never the data itself."""
    wanted = ("prefix", "digest", "forest", "dimensions", "rows", "files", "model")
    detector = {"detector": description["detector"]["name"]}
    return detector | {name: description[name] for name in wanted}


def _is_constant(observed: Series) -> bool:
    values = observed.values[~observed.missing]
    return bool(len(values)) and bool(values.min() == values.max())
