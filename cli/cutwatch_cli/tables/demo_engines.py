"""The engines of a table's demo: how each learns the rides before the live ones, and how its scores are verified."""

from collections.abc import Callable, Mapping, Sequence
from math import isclose
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from cutwatch.detectors.watched_table import TableEngine
from cutwatch_cli.tables.application import WatchedApplication
from cutwatch_cli.tables.ridership import Ride, Ridership, declaration
from cutwatch_cli.tables.undisturbed import undisturbed_rows
from localaws.sagemaker import random_cut_forest

if TYPE_CHECKING:
    from localaws import Execution

_ENDPOINT_SECONDS, _TRAINING_SECONDS = 240, 180
_SAME_SCORE = 1e-9
# Rides of one batch before the live ones.
_RIDES_AT_ONCE = 500

Row = Mapping[str, Any]


class DemoEngine(Protocol):
    """An engine in a demo."""

    declaration: Mapping[str, Any]
    parameters: Mapping[str, str]
    beginning: str

    def prepare(self, application: WatchedApplication, ridership: Ridership) -> None:
        """Learn the rides before the live ones."""

    def renew(self, application: WatchedApplication) -> str:
        """Train again while rides are written; return what happens in words, empty if nothing does."""

    def look(self, application: WatchedApplication) -> None:
        """Keep what verifies later scores."""

    def end(self) -> None:
        """Wait for what has been started."""

    def models_of(self, rows: Sequence[Row], ridership: Ridership) -> list[str | None]:
        """Return the model that gave each row its score and its multiple of the cutoff; None if none gives both."""


class EndpointEngine:
    """A model on an endpoint, trained by the state machine."""

    beginning = "training the first model"

    def __init__(self) -> None:
        self.declaration: Mapping[str, Any] = declaration("endpoint")
        self.parameters: Mapping[str, str] = {"BakeSeconds": "60"}
        self._execution: Execution | None = None
        self._models: dict[str, tuple[float, bytes]] = {}

    def prepare(self, application: WatchedApplication, ridership: Ridership) -> None:
        """Train and deploy the first model."""
        aws = application.aws
        aws.sagemaker.training_seconds = _TRAINING_SECONDS
        application.put([ride.item for ride in ridership.training])
        _ended(application.run())
        # Changes from before the endpoint was there are scored first.
        aws.event_sources.settle()
        aws.sagemaker.endpoint_seconds = _ENDPOINT_SECONDS

    def renew(self, application: WatchedApplication) -> str:
        """Train and deploy a second model."""
        self._execution = application.run()
        return "a second model was trained and deployed while rides were written"

    def look(self, application: WatchedApplication) -> None:
        """Keep cutoff and artefact of each model, which may be retired later."""
        for each in application.cutoffs:
            if each.variant not in self._models:
                artefact = _artefact(application, each.variant)
                self._models[each.variant] = (each.value, artefact)

    def end(self) -> None:
        """Wait for the second model."""
        if self._execution is not None:
            _ended(self._execution)

    def models_of(self, rows: Sequence[Row], ridership: Ridership) -> list[str | None]:  # noqa: ARG002 - a model is enough
        """Return the model of each row: it gives the row's score, and its cutoff the row's multiple."""
        values = np.array([list(row["values"].values()) for row in rows])
        scores = {
            name: random_cut_forest.score(random_cut_forest.load(artefact), values)
            for name, (_, artefact) in self._models.items()
        }
        return [
            next(
                (
                    name
                    for name, (cutoff, _) in self._models.items()
                    if _is_same(scores[name][place], row["score"])
                    and _is_same(row["score"] / cutoff, row["times_cutoff"])
                ),
                None,
            )
            for place, row in enumerate(rows)
        ]


class ForestEngine:
    """A forest in the function that learns each ride after scoring it."""

    beginning = "learning the rides before"

    def __init__(self) -> None:
        self.declaration: Mapping[str, Any] = declaration("forest")
        self.parameters: Mapping[str, str] = {}

    def prepare(self, application: WatchedApplication, ridership: Ridership) -> None:
        """Let the forest learn what a model would be trained on."""
        rides = ridership.training
        for start in range(0, len(rides), _RIDES_AT_ONCE):
            application.put([ride.item for ride in rides[start : start + _RIDES_AT_ONCE]])
            application.aws.event_sources.settle()

    def renew(self, application: WatchedApplication) -> str:  # noqa: ARG002 - it learns by itself
        """Do nothing: each ride renews the forest."""
        return ""

    def look(self, application: WatchedApplication) -> None:
        """Do nothing: the rides are known."""

    def end(self) -> None:
        """Return at once."""

    def models_of(self, rows: Sequence[Row], ridership: Ridership) -> list[str | None]:
        """Compare with a forest that has learned the same rides once and undisturbed."""
        rides: Sequence[Ride] = [*ridership.training, *ridership.live]
        expected = undisturbed_rows(self.declaration, rides)
        return [
            "the forest"
            if _is_same(expected[row["time"]]["score"], row["score"])
            and _is_same(expected[row["time"]]["times_cutoff"], row["times_cutoff"])
            else None
            for row in rows
        ]


ENGINES: Mapping[TableEngine, Callable[[], DemoEngine]] = {
    "endpoint": EndpointEngine,
    "forest": ForestEngine,
}


def _is_same(one: float, other: float) -> bool:
    return isclose(one, other, rel_tol=_SAME_SCORE)


def _artefact(application: WatchedApplication, model: str) -> bytes:
    bucket = application.base.outputs["DataBucketName"]
    key = f"models/{application.name}/{model}/output/model.tar.gz"
    body: bytes = application.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return body


def _ended(execution: "Execution") -> None:
    result = execution.wait(300)
    if result.status != "SUCCEEDED":
        raise RuntimeError(f"the training ended {result.status}: {result.error}: {result.cause}")
