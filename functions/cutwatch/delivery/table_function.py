"""Scorer of a table's changes, with the state and the destinations that the settings of its functions name."""

from functools import cache, partial
from pathlib import Path

from cutwatch.aws.clients import client
from cutwatch.aws.dynamodb import Table
from cutwatch.aws.s3 import Bucket
from cutwatch.delivery.destinations import outbox_delivery, row_target
from cutwatch.delivery.incident_store import IncidentStore
from cutwatch.detectors.detectors_file import load_configuration
from cutwatch.detectors.watched_table import WatchedTable
from cutwatch.endpoints.cutoff_cache import CutoffCache
from cutwatch.endpoints.cutoff_store import CutoffStore
from cutwatch.endpoints.invocation import ScoringEndpoint
from cutwatch.tables.declaration import check_engine, check_source
from cutwatch.tables.forest_scoring import ForestTableScorer
from cutwatch.tables.forest_state import ForestStateStore
from cutwatch.tables.scoring import TableScorer
from cutwatch.tables.settings import TableSettings
from cutwatch.tables.state import TableStateStore


@cache
def table_scorer(settings: TableSettings, folder: Path) -> TableScorer | ForestTableScorer:
    """Return the scorer that settings describe; `folder` has `detectors.yaml`. Raises `InvalidSetting` or `InvalidDetectors`."""
    table = load_configuration(folder / settings.detectors_file).table(settings.watched_table)
    check_source(table, settings.source_table_arn)
    check_engine(table, settings.endpoint_name)
    return (
        _of_forest(settings, table) if table.engine == "forest" else _of_endpoint(settings, table)
    )


def _of_endpoint(settings: TableSettings, table: WatchedTable) -> TableScorer:
    registry = Table(client("dynamodb"), settings.table_name)
    target = row_target(settings.target_arn)
    open_incidents = partial(IncidentStore(registry).open, table.name)
    return TableScorer(
        table,
        ScoringEndpoint(client("sagemaker-runtime"), settings.endpoint_name),
        CutoffCache(CutoffStore(registry, table.name), table.fingerprint),
        TableStateStore(Bucket(client("s3"), settings.bucket_name), table.name, open_incidents),
        outbox_delivery(settings, table, target),
        target is not None,
    )


def _of_forest(settings: TableSettings, table: WatchedTable) -> ForestTableScorer:
    bucket = Bucket(client("s3"), settings.bucket_name)
    target = row_target(settings.target_arn)
    incidents = IncidentStore(Table(client("dynamodb"), settings.table_name))
    open_incidents = partial(incidents.open, table.name)
    store = ForestStateStore(bucket, table.as_stream, table, open_incidents=open_incidents)
    deliver = outbox_delivery(settings, table, target)
    return ForestTableScorer.of(table, store, deliver, keeps_rows=target is not None)
