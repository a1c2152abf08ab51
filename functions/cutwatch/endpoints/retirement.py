"""Models that do not serve any longer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cutwatch.endpoints.cutoff_store import CutoffStore
from cutwatch.errors import NotFound

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient


@dataclass(frozen=True)
class ModelRetirer:
    """Deletes the models of one endpoint that neither serve nor are kept to roll back to."""

    sagemaker: "SageMakerClient"
    cutoffs: CutoffStore

    def retire(self, serving: str) -> list[str]:
        """Delete superseded models, each with its configuration; return their names. A repetition deletes nothing more.

        Kept are the one that served before, to roll back to, and the newest that never served: another execution may be about to
        deploy it.
        """
        others = [each for each in self.cutoffs.all() if each.variant != serving]
        served = [each.variant for each in others if each.replaced_at]
        never_served = [each.variant for each in others if not each.replaced_at]
        retired = served[1:] + never_served[1:]
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
