"""`cutwatch backtest --stream`: the records of a file, scored by the code that scores a stream."""

import json
import time
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import typer

from cutwatch_cli.commands.entry_options import EntryOptions
from cutwatch_cli.commands.exits import FAILURE, USAGE_ERROR, end, note
from cutwatch_cli.commands.options import show

if TYPE_CHECKING:
    from cutwatch.detectors.stream import Stream
    from cutwatch_cli.streams.stream_backtest import StreamBacktest
    from cutwatch_cli.streams.stream_functions import StreamFunctions


class Copies(NamedTuple):
    """Files with copies of objects that a stream reads from S3; None for each that is not given."""

    reference: Path | None
    cold_start: Path | None


def backtest_records(
    name: str,
    paths: Sequence[Path],
    entry: EntryOptions,
    output: Path,
    *,
    invoke: bool,
    reference: Path | None,
    cold_start: Path | None,
    as_json: bool,
) -> None:
    """Backtest a stream of the detectors file over one file of records, and print counts and incidents."""
    _refuse_other_options(entry)
    if len(paths) != 1:
        end(f"--stream {name}: expected one file of records, not {len(paths)}", USAGE_ERROR)
    stream = _declared(entry.detectors, name)
    if stream.needs_training:
        text = "is scored by a trained model; cutwatch compare shows what the models find in a file"
        end(f"stream {name!r} {text}", USAGE_ERROR)
    copies = Copies(reference, cold_start)
    functions = _functions(entry.detectors.parent, stream, copies, invoke=invoke)
    if stream.cold_start and cold_start is None:
        key = f"cold-starts/{stream.name}/{stream.fingerprint}"
        note(f"keys begin with nothing; --cold-start FILE takes a copy of {key} from the bucket")
    scored = output / f"{stream.name}.scored.csv"
    started = time.perf_counter()
    backtest = _run(stream, paths[0], scored, functions)
    seconds = time.perf_counter() - started
    if as_json:
        typer.echo(json.dumps(backtest.to_payload(), indent=2))
    else:
        _print(backtest)
        typer.echo(f"{backtest.read:,} records in {seconds:.1f} s; scored rows: {scored}")
    if not backtest.accepted:
        end(f"{paths[0]}: no record could be scored", FAILURE)


def _refuse_other_options(entry: EntryOptions) -> None:
    """Exit if options change the settings of a metric; a stream's settings are those of its entry."""
    given = [
        f"--{each.name.replace('_', '-')}"
        for each in fields(EntryOptions)
        if each.name != "detectors" and getattr(entry, each.name) != each.default
    ]
    if given:
        end(f"{', '.join(given)} cannot be combined with --stream", USAGE_ERROR)


def _declared(path: Path, name: str) -> "Stream":
    from cutwatch.detectors.detectors_file import load_configuration
    from cutwatch.errors import CutwatchError
    from cutwatch_cli.streams.stream_backtest import find_stream

    try:
        return find_stream(load_configuration(path), name)
    except CutwatchError as error:
        end(str(error), USAGE_ERROR)


def _functions(
    folder: Path, stream: "Stream", copies: Copies, *, invoke: bool
) -> "StreamFunctions":
    from cutwatch.errors import CutwatchError
    from cutwatch_cli.stacks.account import Account
    from cutwatch_cli.streams.stream_functions import load_functions

    client = None
    arns = [each for each in (stream.preprocess, stream.postprocess) if each.startswith("arn:")]
    if invoke and arns:
        client = Account.reached_by(None, arns[0].split(":")[3]).client("lambda")
    try:
        return load_functions(folder, stream, client, *copies)
    except CutwatchError as error:
        end(str(error), USAGE_ERROR)
    except OSError as error:
        is_reference = copies.reference is not None and error.filename == str(copies.reference)
        option = "--reference" if is_reference else "--cold-start"
        end(f"{option} {error.filename}: {error.strerror or error}", USAGE_ERROR)


def _run(
    stream: "Stream", path: Path, scored: Path, functions: "StreamFunctions"
) -> "StreamBacktest":
    from botocore.exceptions import BotoCoreError, ClientError

    from cutwatch.errors import CutwatchError
    from cutwatch_cli.stacks.account import explanation
    from cutwatch_cli.streams.payloads import scored_rows
    from cutwatch_cli.streams.record_file import batches_of
    from cutwatch_cli.streams.stream_backtest import backtest_stream

    try:
        batches = batches_of(path, stream.record, time.time())
        with scored_rows(scored, stream) as rows:
            return backtest_stream(stream, batches, rows.write, functions)
    except OSError as error:
        end(f"{error.filename or path}: {error.strerror or error}", USAGE_ERROR)
    except CutwatchError as error:
        end(str(error), FAILURE)
    except (BotoCoreError, ClientError) as error:
        end(explanation(error, None), FAILURE)


def _print(backtest: "StreamBacktest") -> None:
    from cutwatch_cli.streams.presentation import counts_table, incidents_table

    show(counts_table(backtest))
    typer.echo("")
    if backtest.incidents:
        show(incidents_table(backtest))
    else:
        typer.echo("No incidents.")
