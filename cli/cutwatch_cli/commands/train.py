"""`cutwatch train`: the model of a stream that is fitted in training."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
    from cutwatch.detectors.stream import Stream
    from cutwatch.features.log_event import LogEvent
    from cutwatch.streams.log_training import Training
    from cutwatch_cli.stacks.deployment import Deployment

_PREVIOUS = "previous"


def train(
    records: Annotated[
        Path | None,
        typer.Argument(
            help="File of the stream's log records, one per line. Without it, the stack's function trains on HistoryLocation."
        ),
    ] = None,
    stream: Annotated[
        str, typer.Option("--stream", help="Name of the stream in the detectors file.")
    ] = "",
    *,
    upload: Annotated[
        bool,
        typer.Option("--upload", help="Store the model in the stack's bucket and make it current."),
    ] = False,
    roll_back: Annotated[
        str,
        typer.Option(
            "--roll-back",
            help=f"Make a stored version current again, or the one before with {_PREVIOUS!r}; trains nothing.",
        ),
    ] = "",
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Take the new model of the stack's function, or of SageMaker, even if it finds many of the newest records anomalous.",
        ),
    ] = False,
    instance_type: Annotated[
        str, typer.Option("--instance-type", help="Instance type of a stream's endpoint.")
    ] = "ml.c5.large",
    serverless_memory: Annotated[
        int,
        typer.Option(
            "--serverless-memory",
            help="Memory in MB of a stream's serverless endpoint; 0 for instances.",
        ),
    ] = 0,
    detectors: DetectorsFile = DETECTORS_FILE,
    stack: StackName = None,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Train the model of a stream of log records.

    The first 80 % of the records in the order of time train, the rest checks. SageMaker trains models of
    random_cut_forest_endpoint, and --upload deploys them.
    """
    if not stream:
        end("--stream is missing: the name of a stream of log records", USAGE_ERROR)
    place = (stack, region, profile)
    capacity = (instance_type, serverless_memory)
    if records is not None and not roll_back:
        _train_file(
            records, stream, upload, detectors, place, capacity, force=force, as_json=as_json
        )
        return
    _refuse_combinations(records, upload=upload)
    request: dict[str, Any] = {"force": force}
    if roll_back:
        request = {"roll_back": True if roll_back == _PREVIOUS else roll_back}
    with deployed(*place) as deployment:
        from cutwatch_cli.stacks.deployed_endpoint import joined_stream
        from cutwatch_cli.stacks.deployed_training import invoke_training

        if "EndpointName" in joined_stream(deployment, stream).outputs:
            to = "" if roll_back == _PREVIOUS else roll_back
            outcome = _roll_back_endpoint(deployment, stream, detectors, to, bool(roll_back))
        else:
            outcome = invoke_training(deployment, stream, request)
    _print_outcome(outcome, as_json=as_json)


def _roll_back_endpoint(
    deployment: "Deployment",
    stream: str,
    detectors: Path,
    to: str,
    is_asked: bool,  # noqa: FBT001 - one caller
) -> dict[str, Any]:
    from cutwatch.delivery.log_trainer import outcome
    from cutwatch.detectors.detectors_file import load_configuration
    from cutwatch_cli.stacks.deployed_endpoint import EndpointCapacity, endpoint_trainer
    from cutwatch_cli.streams.stream_backtest import find_stream

    if not is_asked:
        end(
            f"SageMaker trains the model of stream {stream!r} on a file: cutwatch train FILE --stream {stream} --upload",
            USAGE_ERROR,
        )
    declared = find_stream(load_configuration(detectors), stream)
    trainer = endpoint_trainer(deployment, declared, EndpointCapacity(), _tell)
    return outcome(trainer.roll_back(to), "rolled back")


def _refuse_combinations(records: Path | None, *, upload: bool) -> None:
    if records is not None:
        end("--roll-back trains nothing; leave out RECORDS", USAGE_ERROR)
    if upload:
        end("--upload stores the model of RECORDS, which are missing", USAGE_ERROR)


def _train_file(
    records: Path,
    stream: str,
    upload: bool,  # noqa: FBT001 - one caller
    detectors: Path,
    place: tuple[str | None, str | None, str | None],
    capacity: tuple[str, int],
    *,
    force: bool,
    as_json: bool,
) -> None:
    from cutwatch.detectors.detectors_file import load_configuration
    from cutwatch.errors import CutwatchError
    from cutwatch.streams.log_training import train_stream
    from cutwatch_cli.access_logs.labelled_file import read_requests
    from cutwatch_cli.streams.stream_backtest import find_stream

    try:
        declared = find_stream(load_configuration(detectors), stream)
        requests, _ = read_requests(records, detectors, stream)
        events = [each.event for each in requests]
        if declared.is_scored_by_endpoint and upload:
            training = _train_endpoint(declared, events, place, capacity, force=force)
        else:
            training = train_stream(declared, events)
    except CutwatchError as error:
        end(str(error), USAGE_ERROR)
    written = BUILD / f"log-models/{declared.name}/{training.fitted.version}"
    written.parent.mkdir(parents=True, exist_ok=True)
    written.write_bytes(training.fitted.to_bytes())
    if upload and not declared.is_scored_by_endpoint:
        _upload(declared, training, place)
    _print(training, written, as_json=as_json)


def _upload(
    stream: "Stream", training: "Training", place: tuple[str | None, str | None, str | None]
) -> None:
    from time import time

    from cutwatch.aws.clients import translate_errors_of
    from cutwatch.streams.model_register import ModelRegister

    with deployed(*place) as deployment:
        # A register that does not exist yet is one of Cutwatch's errors.
        translate_errors_of(deployment.account.session)
        register = ModelRegister(deployment.bucket, stream)
        register.add(training.fitted, training.entry(time()))


def _train_endpoint(
    stream: "Stream",
    events: "list[LogEvent]",
    place: tuple[str | None, str | None, str | None],
    capacity: tuple[str, int],
    *,
    force: bool,
) -> "Training":
    from cutwatch_cli.stacks.deployed_endpoint import EndpointCapacity, endpoint_trainer

    with deployed(*place) as deployment:
        trainer = endpoint_trainer(deployment, stream, EndpointCapacity(*capacity), _tell)
        return trainer.train(events, force=force)


def _tell(progress: str) -> None:
    typer.echo(progress, err=True)


def _print(training: "Training", written: Path, *, as_json: bool) -> None:
    fitted = training.fitted
    if as_json:
        result = {
            "model": fitted.kind,
            "model_version": training.entry(0.0).version,
            "records": training.records,
            "cutoff": fitted.cutoff.value,
            "anomalous": training.anomalous,
            "bytes": written.stat().st_size,
            "file": str(written),
        }
        typer.echo(json.dumps(result, indent=2))
        return
    typer.echo(
        f"{training.records:,} records; cutoff {fitted.cutoff.value:.4g}; {_share(training.anomalous)}; {written}"
    )
    typer.echo(f"model_version: {training.entry(0.0).version}")


def _print_outcome(outcome: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(outcome, indent=2))
        return
    typer.echo(
        f"{outcome['outcome']}; {outcome.get('records', 0):,} records; {_share(outcome.get('anomalous'))}"
    )
    typer.echo(f"model_version: {outcome.get('version')}")
    others = [each for each in outcome["versions"] if each != outcome.get("version")]
    typer.echo(f"others: {', '.join(others) or 'none'}")


def _share(anomalous: float | None) -> str:
    return "no later rows" if anomalous is None else f"{anomalous:.2%} of the later rows anomalous"
