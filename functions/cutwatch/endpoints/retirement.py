"""Models that do not serve any longer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cutwatch.endpoints.cutoff_store import CutoffStore
from cutwatch.errors import NotFound

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

# The model in service, and the one to roll back to.
KEPT_MODELS = 2


@dataclass(frozen=True)
class ModelRetirer:
    """Deletes the models of one endpoint that neither serve nor are kept to roll back to."""

    sagemaker: "SageMakerClient"
    cutoffs: CutoffStore

    def retire(self, serving: str) -> list[str]:
        """Delete superseded models, each with its configuration; return their names. A repetition deletes nothing more."""
        known = [each.variant for each in self.cutoffs.all()]
        others = [variant for variant in known if variant != serving]
        retired = others[KEPT_MODELS - 1 :]
        for variant in retired:
            _unless_gone(self.sagemaker.delete_endpoint_config, EndpointConfigName=variant)
            _unless_gone(self.sagemaker.delete_model, ModelName=variant)
            # Last: while the item exists, another try finds the model.
            self.cutoffs.remove(variant)
        return retired


def _unless_gone(delete: Callable[..., Any], **name: str) -> None:
    try:
        delete(**name)
    except NotFound:
        return
