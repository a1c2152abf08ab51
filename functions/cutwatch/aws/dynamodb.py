"""Items of one DynamoDB table by partition and sort key, as JSON values."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from cutwatch.aws.clients import from_item, to_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Item = dict[str, Any]


class Table:
    """A table with the keys `pk` and `sk`; all reads are consistent."""

    def __init__(self, dynamodb: "DynamoDBClient", name: str) -> None:
        self._dynamodb = dynamodb
        self._name = name

    def get(self, pk: str, sk: str) -> Item | None:
        """Return the item, if it exists."""
        answer = self._dynamodb.get_item(
            TableName=self._name, Key=to_item({"pk": pk, "sk": sk}), ConsistentRead=True
        )
        return from_item(answer["Item"]) if "Item" in answer else None

    def query(
        self, pk: str, sk_prefix: str = "", *, between: tuple[str, str] | None = None
    ) -> Iterator[Item]:
        """Return a partition's items in the order of their sort keys, limited to a prefix or an inclusive range."""
        condition, values = "pk = :pk", {":pk": pk}
        if sk_prefix:
            condition += " AND begins_with(sk, :sk)"
            values[":sk"] = sk_prefix
        if between:
            condition += " AND sk BETWEEN :first AND :last"
            values |= {":first": between[0], ":last": between[1]}
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._name,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=to_item(values),
            ConsistentRead=True,
        )
        for page in pages:
            yield from map(from_item, page["Items"])

    def put(
        self,
        item: Item,
        condition: str = "",
        names: Mapping[str, str] | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> None:
        """Write an item whole, if the condition holds; else `ConditionFailed`."""
        request: dict[str, Any] = {"TableName": self._name, "Item": to_item(item)}
        if condition:
            request["ConditionExpression"] = condition
        if names:
            request["ExpressionAttributeNames"] = dict(names)
        if values:
            request["ExpressionAttributeValues"] = to_item(values)
        self._dynamodb.put_item(**request)

    def update(
        self, pk: str, sk: str, update: str, values: Mapping[str, Any], condition: str = ""
    ) -> Item:
        """Update an item if the condition holds and return it; `values` are named without their colons.

        Raises `ConditionFailed` if the condition does not hold.
        """
        request: dict[str, Any] = {
            "TableName": self._name,
            "Key": to_item({"pk": pk, "sk": sk}),
            "UpdateExpression": update,
            "ReturnValues": "ALL_NEW",
        }
        if values:
            request["ExpressionAttributeValues"] = to_item({f":{k}": v for k, v in values.items()})
        if condition:
            request["ConditionExpression"] = condition
        return from_item(self._dynamodb.update_item(**request)["Attributes"])

    def delete(self, pk: str, sk: str) -> None:
        """Delete an item, if it exists."""
        self._dynamodb.delete_item(TableName=self._name, Key=to_item({"pk": pk, "sk": sk}))
