"""What every handler of ours would be if it did nothing: boto3, Powertools, and one item read from DynamoDB."""

import os
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from botocore.exceptions import ClientError

logger = Logger()
tracer = Tracer()
metrics = Metrics()


@cache
def dynamodb() -> Any:
    return boto3.client("dynamodb")


@metrics.log_metrics
@tracer.capture_lambda_handler(capture_response=False)
@logger.inject_lambda_context
def handler(_event: Any, _context: Any) -> dict[str, Any]:
    key = {"pk": {"S": "DETECTOR"}, "sk": {"S": "none"}}
    try:
        dynamodb().get_item(TableName=os.environ["TABLE_NAME"], Key=key)
    except ClientError:
        logger.exception("failed")
    return {}
