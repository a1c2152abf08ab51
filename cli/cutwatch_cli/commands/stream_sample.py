"""`cutwatch stream sample`: an entry of `detectors.yaml` for a stream, inferred from its records."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from cutwatch_cli.commands.exits import FAILURE, USAGE_ERROR, check_choice, end
from cutwatch_cli.commands.options import Profile, Region

if TYPE_CHECKING:
    from cutwatch_cli.streams.sampled_fields import SampledRecord

stream = typer.Typer(no_args_is_help=True, help="Work with streams of records.")
_RECORDS = 100


@stream.callback()
def _stream() -> None:
    """Work with streams of records."""


@stream.command()
def sample(
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="STREAM", help="ARN or name of a Kinesis stream.", show_default=False
        ),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            help="File with one record per line, instead of a stream.", show_default=False
        ),
    ] = None,
    records: Annotated[
        int, typer.Option(min=1, max=1_000, help="Number of records to read.")
    ] = _RECORDS,
    position: Annotated[
        str,
        typer.Option(
            "--from", metavar="POSITION", help="Records to read: oldest, or newest, as they arrive."
        ),
    ] = "oldest",
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds to wait for records with --from newest.")
    ] = 30.0,
    region: Region = None,
    profile: Profile = None,
) -> None:
    """Read records of a stream and print an entry for detectors.yaml."""
    from cutwatch_cli.streams.kinesis_sample import Position

    check_choice("--from", position, get_args(Position))
    if (source is None) == (file is None):
        end("expected the ARN or the name of a stream, or --file FILE", USAGE_ERROR)
    if file is not None:
        taken, origin = _lines(file, records), str(file)
    else:
        source = str(source)
        taken, origin = _taken(source, records, position, wait, region, profile), source
    typer.echo(_entry(source or (file or Path()).stem, taken, origin), nl=False)


def _entry(source: str, taken: list["SampledRecord"], origin: str) -> str:
    from cutwatch.errors import InvalidInput
    from cutwatch.wording import count
    from cutwatch_cli.streams.inference import infer_format
    from cutwatch_cli.streams.sample_entry import entry_text, stream_name
    from cutwatch_cli.streams.sampled_fields import fields_of

    try:
        inferred = infer_format(fields_of(taken), time.time())
    except InvalidInput as error:
        end(f"{origin}: {error}", FAILURE)
    named = source if source == origin else stream_name(source)
    return entry_text(named, inferred, f"{count(len(taken), 'record')} of {origin}")


def _lines(path: Path, limit: int) -> list["SampledRecord"]:
    from itertools import islice

    from cutwatch_cli.streams.sampled_fields import SampledRecord

    try:
        with path.open("rb") as file:
            lines = (line.rstrip(b"\r\n").removeprefix(b"\xef\xbb\xbf") for line in file)
            return [SampledRecord(line) for line in islice(filter(None, lines), limit)]
    except OSError as error:
        end(f"{path}: {error.strerror or error}", USAGE_ERROR)


def _taken(
    source: str, limit: int, position: str, wait: float, region: str | None, profile: str | None
) -> list["SampledRecord"]:
    from botocore.exceptions import BotoCoreError, ClientError

    from cutwatch_cli.stacks.account import Account, error_code, explanation
    from cutwatch_cli.streams.kinesis_sample import sample_records

    named = source.split(":")[3] if source.startswith("arn:") and source.count(":") >= 5 else None
    try:
        account = Account.reached_by(profile, region or named)
        region = account.region
        found = sample_records(account.client("kinesis"), source, limit, position, wait)  # type: ignore[arg-type]  # checked above
    except (BotoCoreError, ClientError) as error:
        if error_code(error) == "ResourceNotFoundException":
            end(f"{source}: region {region} has no Kinesis stream of this name", FAILURE)
        end(f"{source}: {explanation(error, region)}", FAILURE)
    if not found:
        hint = "send some, or use --from oldest" if position == "newest" else "send some, and try again"  # fmt: skip
        end(f"{source}: the stream has no records; {hint}", FAILURE)
    return found
