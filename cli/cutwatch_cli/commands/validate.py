"""`cutwatch validate`: check the detectors file and the template."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cutwatch_cli.commands.exits import FAILURE, USAGE_ERROR, end, note
from cutwatch_cli.commands.options import DETECTORS_FILE, DetectorsFile, Profile, Region

if TYPE_CHECKING:
    from cutwatch.detectors.stream import Stream
    from cutwatch.detectors.templates import Configuration
    from cutwatch.detectors.watched_table import WatchedTable


def validate(
    detectors: DetectorsFile = DETECTORS_FILE,
    template: Annotated[Path, typer.Option(help="SAM template.")] = Path("template.yaml"),
    online: Annotated[
        bool, typer.Option("--online", help="Ask CloudWatch whether each metric exists.")
    ] = False,
    region: Region = None,
    profile: Profile = None,
) -> None:
    """Check detectors.yaml and the template before deployment."""
    found = _checked(detectors, template)
    for warning in found.warnings:
        note(f"warning: {warning}")
    _print_contents(detectors, found)
    typer.echo(f"{template}: valid")
    if online:
        _check_online(found, region, profile)


def _checked(detectors: Path, template: Path) -> "Configuration":
    """Return the content of the file; exit with the mistakes of both files."""
    from cutwatch.detectors.detectors_file import load_configuration
    from cutwatch.errors import InvalidDetectors
    from cutwatch_cli.streams.stream_functions import check_functions
    from cutwatch_cli.template_check import TemplateMistakes, check_template

    found, mistakes = None, []
    try:
        found = load_configuration(detectors)
        mistakes += [
            f"{detectors.name}: {each}" for each in check_functions(detectors.parent, found.streams)
        ]
    except InvalidDetectors as error:
        mistakes.append(str(error))
    try:
        check_template(template)
    except TemplateMistakes as error:
        mistakes.append(str(error))
    if mistakes or found is None:
        end("\n".join(mistakes), USAGE_ERROR)
    return found


def _print_contents(detectors: Path, found: "Configuration") -> None:
    from cutwatch.wording import count

    sources: tuple[Stream | WatchedTable, ...] = (*found.streams, *found.tables)
    sections = {"template": found.templates, "stream": found.streams, "table": found.tables}
    counts = [count(len(found.detectors), "detector")]
    counts += [count(len(entries), kind) for kind, entries in sections.items() if entries]
    typer.echo(f"{detectors}: {', '.join(counts)}, valid")
    for detector in found.detectors:
        typer.echo(f"  {detector.name}: {detector.metric_label}, every {detector.period} s")
    for each in found.templates:
        typer.echo(
            f"  {each.name}: {each.pattern.metric_label}, every {each.pattern.period} s, "
            f"for each {each.for_each}, at most {each.limit}"
        )
    for source in sources:
        typer.echo(f"  {source.name}: {source.source}, {', '.join(source.columns)}")


def _check_online(found: "Configuration", region: str | None, profile: str | None) -> None:
    from botocore.exceptions import BotoCoreError, ClientError

    from cutwatch_cli.discovery.online_check import unknown_metrics
    from cutwatch_cli.stacks.account import Account, explanation

    try:
        account = Account.reached_by(profile, region)
        region = account.region
        unknown = unknown_metrics(account.client("cloudwatch"), found)
    except (BotoCoreError, ClientError) as error:
        end(explanation(error, region), FAILURE)
    for line in unknown:
        note(line)
    if unknown:
        raise typer.Exit(FAILURE)
    typer.echo(f"CloudWatch in {region}: has every metric")
