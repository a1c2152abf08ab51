from datetime import UTC, datetime, timedelta

from cutwatch_cli.stacks.account import time_of


def test_the_accounts_time_is_that_of_its_responses() -> None:
    headers = {"date": "Mon, 02 Nov 2026 04:00:03 GMT"}

    now = time_of({"ResponseMetadata": {"HTTPHeaders": headers}})

    assert now == datetime(2026, 11, 2, 4, 0, 3, tzinfo=UTC)


def test_without_a_date_in_the_response_this_machines_time_counts() -> None:
    now = time_of({"ResponseMetadata": {}})

    assert timedelta() <= datetime.now(UTC) - now < timedelta(hours=1)
