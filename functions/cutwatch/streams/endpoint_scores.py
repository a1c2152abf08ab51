"""Scores of a batch's rows by a SageMaker endpoint, asked for in one request before the rows are scored.

The features are those of the model that serves: the endpoint names it in each answer, and if it is another one than the rows were
made for, they are made again with the features of that model. No row meets another model's features or cutoff.
"""

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from cutwatch.endpoints.invocation import ScoringEndpoint, csv_line
from cutwatch.errors import DeploymentUnderWay, InvalidSetting
from cutwatch.streams.key_bucket import KeyBucket
from cutwatch.streams.model_source import ModelSource
from cutwatch.streams.scoring import Arrived, StreamScorer

if TYPE_CHECKING:
    from cutwatch.anomaly_models.endpoint_forest import EndpointForest, Row
    from cutwatch.streams.trained_model import TrainedModel

# While models change, instances of both may answer in turn.
_ATTEMPTS = 4


@dataclass
class EndpointScores:
    """Scores of one stream's endpoint. `has_time` returns False once transient errors are not to be tried again."""

    endpoint: ScoringEndpoint
    models: ModelSource
    has_time: Callable[[], bool] = lambda: True

    def fetch(self, scorer: StreamScorer, bucket: KeyBucket, arrived: Sequence[Arrived]) -> None:
        """Let the scorer have the scores of all rows that a bucket's records become, by the model that serves.

        Raises the endpoint's last error, `CutoffMissing` for a model that was not trained for this stream, and `DeploymentUnderWay` if
        models keep changing.
        """
        for _ in range(_ATTEMPTS):
            trained = scorer.trained
            if trained is None:
                raise InvalidSetting(f"stream {scorer.stream.name!r} has no trained model")
            forest = cast("EndpointForest", trained.fitted.model)
            other = self._ask(forest, forest.unknown(_rows(scorer, bucket, arrived, trained)))
            if not other:
                return
            scorer.use(self.models.of_variant(other))
        raise DeploymentUnderWay(
            f"endpoint {self.endpoint.name} answers with several models in turn; the records come again"
        )

    def _ask(self, forest: "EndpointForest", rows: Sequence["Row"]) -> str:
        """Add the scores of rows to the forest; return the name of the model that serves if it is another."""
        place = 0
        for variant, scores in self.endpoint.score([csv_line(row) for row in rows], self.has_time):
            if variant != forest.variant:
                return variant
            forest.add(rows[place : place + len(scores)], scores)
            place += len(scores)
        return ""


def _rows(
    scorer: StreamScorer, bucket: KeyBucket, arrived: Sequence[Arrived], trained: "TrainedModel"
) -> list[tuple[float, ...]]:
    """Return the rows that a bucket's records become with a model's features; the bucket stays as it is."""
    draft = copy(scorer)
    draft.keeps_rows = False
    draft.use(trained.unscored())
    copied = KeyBucket.from_bytes(bucket.to_bytes(scorer.stream), scorer.stream)
    return [row.values for row in draft.score(copied, arrived).rows]
