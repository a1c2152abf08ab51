"""Options of `cutwatch demo` that do not belong together."""

import pytest

from tests.support.command_line import assert_one_line_mistake, cutwatch


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--live", "--stream", "kinesis"], ["--live and --stream are two demos"]),
        (["--csv", "rides.csv"], ["--csv belongs to --stream dynamodb"]),
        (["--engine", "forest"], ["--engine belongs to --stream dynamodb"]),
        (["--engine", "forest", "--stream", "kinesis"], ["--engine belongs to --stream dynamodb"]),
        (["--json"], ["--json belongs to --live and --stream"]),
    ],
)
def test_options_of_different_demos_are_refused(arguments: list[str], words: list[str]) -> None:
    assert_one_line_mistake(cutwatch("demo", *arguments), *words)
