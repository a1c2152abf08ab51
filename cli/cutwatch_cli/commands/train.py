"""`cutwatch train`: the model of a stream that is fitted in training."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cutwatch_cli.commands.exits import USAGE_ERROR, end
from cutwatch_cli.commands.options import (
    BUILD,
    DETECTORS_FILE,
    AsJson,
    DetectorsFile,
    Profile,
    Region,
    StackName,
    deployed,
)

if TYPE_CHECKING:
    from cutwatch.anomaly_models.fitted_model import FittedModel


def train(
    records: Annotated[
        Path, typer.Argument(help="File of the stream's log records, one per line.")
    ],
    stream: Annotated[
        str, typer.Option("--stream", help="Name of the stream in the detectors file.")
    ],
    *,
    upload: Annotated[
        bool, typer.Option("--upload", help="Also store the model in the stack's bucket.")
    ] = False,
    detectors: DetectorsFile = DETECTORS_FILE,
    stack: StackName = None,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Train the model of a stream of log records.

    Enter the printed model_version in the detectors file.
    """
    from cutwatch.detectors.detectors_file import load_configuration
    from cutwatch.errors import CutwatchError
    from cutwatch_cli.access_logs.labelled_file import read_requests
    from cutwatch_cli.access_logs.stream_training import train_stream
    from cutwatch_cli.streams.stream_backtest import find_stream

    try:
        declared = find_stream(load_configuration(detectors), stream)
        requests, _ = read_requests(records, detectors, stream)
        fitted = train_stream(declared, [each.event for each in requests])
    except CutwatchError as error:
        end(str(error), USAGE_ERROR)
    key = f"streams/{declared.name}/models/{fitted.version}"
    written = BUILD / key
    written.parent.mkdir(parents=True, exist_ok=True)
    written.write_bytes(fitted.to_bytes())
    if upload:
        with deployed(stack, region, profile) as deployment:
            deployment.bucket.write_bytes(key, fitted.to_bytes())
    _print(fitted, len(requests), written, as_json=as_json)


def _print(fitted: "FittedModel", records: int, written: Path, *, as_json: bool) -> None:
    if as_json:
        result = {
            "model": fitted.kind,
            "model_version": fitted.version,
            "records": records,
            "cutoff": fitted.cutoff.value,
            "bytes": written.stat().st_size,
            "file": str(written),
        }
        typer.echo(json.dumps(result, indent=2))
        return
    typer.echo(f"{records:,} records; cutoff {fitted.cutoff.value:.4g}; {written}")
    typer.echo(f"model_version: {fitted.version}")
