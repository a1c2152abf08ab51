"""The scan of Prepare Records: of the streamed table, or of a replica in another Region, on moto."""

import pytest

from cutwatch.aws.clients import client
from cutwatch.detectors.watched_table import WatchedTable
from cutwatch.errors import InvalidSetting, NotFound
from cutwatch.tables.preparation import Rows
from cutwatch.tables.scanning import scan_of
from cutwatch.tables.settings import PrepareRecordsSettings

TABLE = WatchedTable("taxi", "rides", {"count": "ridecount"})


def settings(arn: str) -> PrepareRecordsSettings:
    return PrepareRecordsSettings("taxi", arn, "data", 10_000)


def rides_in(region: str, *counts: int) -> str:
    """Make the table in a Region; return its ARN."""
    dynamodb = client("dynamodb", region)
    made = dynamodb.create_table(
        TableName="rides",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    for count in counts:
        item = {"id": {"S": str(count)}, "ridecount": {"N": str(count)}}
        dynamodb.put_item(TableName="rides", Item=item)
    return str(made["TableDescription"]["TableArn"])


def lines(arn: str) -> list[str]:
    rows = Rows(TABLE)

    def take(page: object) -> int:
        rows.take(page)  # type: ignore[arg-type]
        return len(rows.lines)

    scan_of(TABLE, settings(arn)).read(take)
    return sorted(rows.lines)


@pytest.mark.usefixtures("account")
def test_a_replica_is_read_in_its_own_region() -> None:
    streamed = rides_in("us-east-1", 1, 2)
    replica = rides_in("eu-central-1", 3)
    assert ":eu-central-1:" in replica
    assert lines(streamed) == ["1.0\n", "2.0\n"]
    assert lines(replica) == ["3.0\n"]


@pytest.mark.usefixtures("account")
def test_a_replica_that_does_not_exist_is_named() -> None:
    arn = rides_in("us-east-1", 1).replace("us-east-1", "eu-west-1")
    with pytest.raises(NotFound, match="rides"):
        scan_of(TABLE, settings(arn))


@pytest.mark.parametrize("arn", ["rides", "arn:aws:kinesis:us-east-1:123456789012:stream/rides"])
def test_what_is_not_the_arn_of_a_table_is_refused(arn: str) -> None:
    with pytest.raises(InvalidSetting, match="READ_TABLE_ARN is "):
        scan_of(TABLE, settings(arn))
