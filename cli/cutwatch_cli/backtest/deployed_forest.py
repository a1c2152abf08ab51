"""The forests of a backtest, with the seeds that a deployed stack gives them."""

from cutwatch.detectors.detector import Detector
from cutwatch.forests.dataset_scoring import forest_seed
from cutwatch.timeseries.series import Series
from cutwatch_cli.backtest.engines import Engine, LearningEngine, Model


class DeployedForest(LearningEngine):
    """Learning forests whose scores are those of Train Forest and Score Forest."""

    def train(self, history: Series) -> Model | None:
        """Learn with the seed of a training that ends with this history."""
        self.seed = forest_seed(self.detector.name, history.end)
        return super().train(history)


def deployed_engine(detector: Detector) -> Engine | None:
    """Return the engine with the deployed seeds; None for SageMaker, which draws its samples at random."""
    return DeployedForest(detector) if detector.engine == "lambda" else None
