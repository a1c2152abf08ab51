"""DynamoDB's condition key `dynamodb:LeadingKeys`: the partition keys of a call, which MiniStack's needs leave out."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from localaws.embedded_ministack import account_scope, service

_EQUALS = re.compile(r"([#\w]+)\s*=\s*(:\w+)")
_Values = Mapping[str, Any]


def leading_keys(parameters: Mapping[str, Any], region: str) -> Mapping[str, Sequence[str]]:
    """Return the partition keys by table as the call names it; a call without keys, such as Scan, has none."""
    found: dict[str, list[str]] = {}
    for table, values in _keyed(parameters):
        partition_key = _partition_key(table, parameters.get("IndexName"), region)
        if partition_key is not None and partition_key in values:
            (value,) = values[partition_key].values()
            found.setdefault(table, []).append(str(value))
    return found


def _keyed(parameters: Mapping[str, Any]) -> Iterator[tuple[str, _Values]]:
    """Yield each table with the attributes that identify the items."""
    if "TableName" in parameters:
        values = parameters.get("Key") or parameters.get("Item") or _queried(parameters)
        yield parameters["TableName"], values
    for table, asked in parameters.get("RequestItems", {}).items():
        for values in asked["Keys"] if "Keys" in asked else _written(asked):
            yield table, values
    for item in parameters.get("TransactItems", ()):
        for part in item.values():
            yield from _keyed(part)


def _written(requests: Sequence[Mapping[str, Any]]) -> Iterator[_Values]:
    for request in requests:
        for part in request.values():
            yield part.get("Key") or part.get("Item") or {}


def _queried(parameters: Mapping[str, Any]) -> _Values:
    """Return the attributes that a query compares for equality, its partition key among them."""
    names = parameters.get("ExpressionAttributeNames", {})
    values = parameters.get("ExpressionAttributeValues", {})
    asked = _EQUALS.findall(parameters.get("KeyConditionExpression", ""))
    return {names.get(name, name): values[value] for name, value in asked if value in values}


def _partition_key(table: str, index: str | None, region: str) -> str | None:
    with account_scope(region):
        known = service("dynamodb")._tables.get(table.rpartition("/")[2])
    if known is None:
        return None
    indexes = [*known.get("GlobalSecondaryIndexes", ()), *known.get("LocalSecondaryIndexes", ())]
    schemas = [each["KeySchema"] for each in indexes if each["IndexName"] == index]
    schema = schemas[0] if schemas else known["KeySchema"]
    return str(next(key["AttributeName"] for key in schema if key["KeyType"] == "HASH"))
