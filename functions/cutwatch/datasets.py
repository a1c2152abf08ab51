"""Pulls a detector's metric into S3: what a training or a transform job reads, and how it was made."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from cutwatch.bucket import Bucket
from cutwatch.datapoints import read_series
from cutwatch.detector import Detector
from cutwatch.errors import ModelMissing, NotFound
from cutwatch.features import FeatureRows, Recipe
from cutwatch.insufficient_data import untrained, up_to_date, why_not_score, why_not_train
from cutwatch.judgement import DEFAULT
from cutwatch.moments import format_moment
from cutwatch.names import dataset_digest, dataset_prefix
from cutwatch.outcomes import Outcome
from cutwatch.registry import Model, Registry
from cutwatch.runs import Run
from cutwatch.series import Series
from cutwatch.settings import StoreMetricDataSettings
from cutwatch.storage import find_description, store_dataset
from cutwatch.windows import Window, newest_end, training_window, transform_window

Answer = dict[str, Any]


@dataclass(frozen=True)
class DatasetWriter:
    """Stores one detector's dataset for one run, with all that it needs from outside."""

    cloudwatch: Any
    bucket: Bucket
    registry: Registry
    settings: StoreMetricDataSettings
    run: Run
    detector: Detector

    def store(self) -> Answer:
        """Store the dataset, once; returns what the next states need, or `outcome` when there is nothing to do."""
        return self._store_training() if self.run.kind == "training" else self._store_window()

    def _store_training(self) -> Answer:
        record = self.registry.detector(self.detector.name)
        unpublished = self.settings.first_window if self.run.by_need else timedelta()
        window = training_window(self.detector, self._newest, record.published_through, unpublished)
        stored = find_description(self.bucket, self._prefix(window))
        if stored is not None:
            return _summary(stored)
        observed = read_series(self.cloudwatch, self.detector, window.start, window.end)
        usable = observed.usable(self.detector)
        recipe = Recipe.learn(
            usable, self.detector.features, self.detector.shingle_size, self.detector.time_zone
        )
        rows = recipe.rows(usable)
        outcome = why_not_train(self.cloudwatch, self.detector, window, observed, len(rows.rows))
        if outcome:
            return _ends(outcome)
        return self._write(window, observed, recipe, rows, {"constant": _is_constant(observed)})

    def _store_window(self) -> Answer:
        record = self.registry.detector(self.detector.name)
        model = record.usable_model(self.detector.fingerprint)
        if model is None:
            return _ends(untrained(self.registry, self.run, self.detector))
        window = self._transform_window(record.published_through, model)
        if window.is_empty:
            return _ends(up_to_date(self.detector, record.published_through))
        stored = find_description(self.bucket, self._prefix(window))
        if stored is not None:
            return _summary(stored)
        recipe = self._recipe_of(model)
        observed = read_series(
            self.cloudwatch, self.detector, window.start - self._lead_in(recipe), window.end
        )
        rows = recipe.rows(observed.usable(self.detector))
        inside = int(np.count_nonzero(rows.epochs >= int(window.start.timestamp())))
        outcome = why_not_score(self.cloudwatch, self.detector, window, observed, inside)
        if outcome:
            return _ends(outcome)
        judged = {
            "model": model.name,
            "baseline": dict(model.baseline),
            "cutoff": dict(model.cutoff),
            "cutoff_method": model.cutoff_method,
            "follows": record.published_through == window.start,
            "lost_periods": window.lost_periods,
        }
        return self._write(window, observed, recipe, rows if inside else rows.none(), judged)

    @property
    def _newest(self) -> datetime:
        return newest_end(self.detector, self.run.scheduled, self.settings.data_delay)

    def _transform_window(self, published_through: datetime | None, model: Model) -> Window:
        return transform_window(
            self.detector,
            self._newest,
            self.run.moment,
            published_through,
            datetime.fromisoformat(model.trained_through),
        )

    def _lead_in(self, recipe: Recipe) -> timedelta:
        periods = recipe.lead_in
        if self.detector.cutoff.method == "likelihood":
            periods += -(-DEFAULT.lead_in_seconds // self.detector.period)
        return timedelta(seconds=self.detector.period * periods)

    def _recipe_of(self, model: Model) -> Recipe:
        try:
            return Recipe.from_payload(self.bucket.read_json(model.recipe))
        except NotFound as error:
            self.registry.remove_models(self.detector.name, {model.name})
            raise ModelMissing(
                f"the recipe of model {model.name} is no longer at {self.bucket.uri(model.recipe)}; "
                "the model was taken out of the registry, and the next transform trains a new one"
            ) from error

    def _digest(self, window: Window) -> str:
        return dataset_digest(
            self.bucket.name,
            self.detector,
            self.run.kind,
            format_moment(window.start),
            format_moment(window.end),
        )

    def _prefix(self, window: Window) -> str:
        return dataset_prefix(
            self.detector.name, self.run.scheduled, self.run.kind, self._digest(window)
        )

    def _write(
        self,
        window: Window,
        observed: Series,
        recipe: Recipe,
        rows: FeatureRows,
        details: Mapping[str, Any],
    ) -> Answer:
        description = {
            "prefix": self._prefix(window),
            "digest": self._digest(window),
            "detector": self.detector.to_payload(),
            "start": format_moment(window.start),
            "end": format_moment(window.end),
            "recipe": recipe.to_payload(),
            "dimensions": recipe.dimensions,
            "rows": len(rows.rows),
            "files": self.settings.row_files,
            "model": None,
            "reported": observed.reported,
            "series_start": format_moment(observed.start),
            "values": [None if np.isnan(v) else v for v in observed.values.tolist()],
            **details,
        }
        store_dataset(
            self.bucket, description["prefix"], rows, self.settings.row_files, description
        )
        return _summary(description)


def _summary(description: Mapping[str, Any]) -> Answer:
    """What the next states need: never the data itself."""
    wanted = ("prefix", "digest", "start", "end", "dimensions", "rows", "files", "model")
    return {name: description[name] for name in wanted} | {"outcome": None}


def _ends(outcome: Outcome) -> Answer:
    return {"outcome": outcome.to_payload()}


def _is_constant(observed: Series) -> bool:
    values = observed.values[~observed.missing]
    return bool(len(values)) and bool(values.min() == values.max())
