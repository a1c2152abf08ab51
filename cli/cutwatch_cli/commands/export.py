"""`cutwatch export`: the history of metrics in CloudWatch, as CSV files."""

from pathlib import Path
from typing import Annotated

import typer

from cutwatch_cli.commands.entry_options import EntryOptions, with_entry_options
from cutwatch_cli.commands.entry_sources import read_named
from cutwatch_cli.commands.exits import USAGE_ERROR, end
from cutwatch_cli.commands.options import BUILD


@with_entry_options
def export(
    entry: EntryOptions,
    output: Annotated[Path, typer.Option(help="Folder for one CSV file per detector.")] = BUILD
    / "history",
) -> None:
    """Write the history that CloudWatch keeps of a metric as CSV."""
    import math

    from cutwatch.wording import count
    from cutwatch_cli.csv_files.csv_series import write_csv

    if not entry.reads_cloudwatch:
        end("expected --detector NAME, or --metric NAME", USAGE_ERROR)
    histories = read_named(entry)
    for detector, series in histories.read:
        path = output / f"{detector.name}.csv"
        try:
            output.mkdir(parents=True, exist_ok=True)
            write_csv(series, path)
        except OSError as error:
            end(f"--output {output}: {error.strerror}", USAGE_ERROR)
        gaps = sum(math.isnan(value) for value in series.values)
        missing = f", {gaps:,} missing" if gaps else ""
        typer.echo(
            f"{path}: {count(len(series.values) - gaps, 'datapoint')} of {detector.metric_label}, every "
            f"{detector.period} s, {series.start:%Y-%m-%d %H:%M} to {series.end:%Y-%m-%d %H:%M} UTC{missing}"
        )
    histories.end()
