"""Starts the run of the Glue job that prepares a table's rows from its export."""

from cutwatch.aws.clients import client
from cutwatch.observability import Payload, observed
from cutwatch.tables.export import Export
from cutwatch.tables.functions import run_of
from cutwatch.tables.glue_job import PreparationJob, job_arguments
from cutwatch.tables.recipe import TableRecipe
from cutwatch.tables.settings import StartPreparationJobSettings
from cutwatch.timestamps import parse_timestamp


@observed
def handler(event: Payload) -> Payload:
    """`event` (the execution's input), `started`, `export`, `now` -> the job (name, status, deadline)."""
    settings = StartPreparationJobSettings.from_env()
    _, table, bucket, dataset = run_of(settings, event)
    export, now = Export.from_payload(event["export"]), parse_timestamp(event["now"], "now")
    arguments = job_arguments(bucket, dataset, TableRecipe.of(table), export)
    job = PreparationJob(client("glue"), settings.glue_job_name)
    return job.start(arguments, export.deadline, now).to_payload()
