"""Parts of the endpoint's state machine that several functions need."""

from cutwatch.aws.clients import client
from cutwatch.aws.dynamodb import Table
from cutwatch.endpoints.cutoff_store import CutoffStore
from cutwatch.endpoints.deployment import EndpointDeployer
from cutwatch.endpoints.scaling import VariantScaling
from cutwatch.endpoints.settings import EndpointSettings, ModelSettings


def cutoff_store(settings: ModelSettings) -> CutoffStore:
    """Return the store of the cutoffs of the watched table's models."""
    return CutoffStore(Table(client("dynamodb"), settings.table_name), settings.watched_table)


def deployer(settings: EndpointSettings) -> EndpointDeployer:
    """Return the deployer of models to the endpoint."""
    scaling = VariantScaling(client("application-autoscaling"), settings)
    return EndpointDeployer(client("sagemaker"), settings, cutoff_store(settings), scaling)
