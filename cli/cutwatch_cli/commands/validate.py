"""`cutwatch validate`: check the detectors file and the template."""

from pathlib import Path
from typing import Annotated

import typer

from cutwatch_cli.commands.exits import USAGE_ERROR, end, note
from cutwatch_cli.commands.options import DETECTORS_FILE, DetectorsFile


def validate(
    detectors: DetectorsFile = DETECTORS_FILE,
    template: Annotated[Path, typer.Option(help="SAM template.")] = Path("template.yaml"),
) -> None:
    """Check detectors.yaml and the template before deployment."""
    from cutwatch.detectors.detectors_file import load_configuration
    from cutwatch.errors import InvalidDetectors
    from cutwatch.wording import count
    from cutwatch_cli.template_check import TemplateMistakes, check_template

    try:
        found = load_configuration(detectors)
        check_template(template)
    except (InvalidDetectors, TemplateMistakes) as error:
        end(str(error), USAGE_ERROR)
    for warning in found.warnings:
        note(f"warning: {warning}")
    counts = [count(len(found.detectors), "detector")]
    if found.templates:
        counts.append(count(len(found.templates), "template"))
    typer.echo(f"{detectors}: {', '.join(counts)}, valid")
    for detector in found.detectors:
        typer.echo(f"  {detector.name}: {detector.metric_label}, every {detector.period} s")
    for each in found.templates:
        typer.echo(
            f"  {each.name}: {each.pattern.metric_label}, every {each.pattern.period} s, "
            f"for each {each.for_each}, at most {each.limit}"
        )
    typer.echo(f"{template}: valid")
