from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cutwatch_cli.report.wording import time_in_words


def test_a_moment_is_told_in_the_zone_of_the_reader() -> None:
    evening = datetime(2026, 3, 29, 23, 30, tzinfo=UTC)
    assert time_in_words(evening, UTC) == "2026-03-29 23:30"
    assert time_in_words(evening, ZoneInfo("Europe/Berlin")) == "2026-03-30 01:30"
