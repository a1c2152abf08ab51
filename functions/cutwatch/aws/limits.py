"""Limits of AWS, each named once.

Durations are `timedelta`s, sizes are bytes. Sources: the API references and quota pages of the services.
"""

from datetime import timedelta

# CloudWatch GetMetricData
GET_METRIC_DATA_MAX_QUERIES = 500
GET_METRIC_DATA_MAX_DATAPOINTS = 100_800
METRIC_EXPRESSION_MAX_LENGTH = 2_048
METRIC_QUERY_ID_MAX_LENGTH = 255
# CloudWatch SEARCH
SEARCH_MAX_SERIES = 500
# CloudWatch ListMetrics
LIST_METRICS_MAX_DIMENSION_FILTERS = 10
# How long CloudWatch keeps datapoints, by the longest period (seconds) of each class.
METRIC_RETENTION = {
    60: timedelta(days=15),
    300: timedelta(days=63),
    3600: timedelta(days=455),
}

# CloudWatch PutMetricData
PUT_METRIC_DATA_MAX_DATUMS = 1_000
PUT_METRIC_DATA_MAX_BYTES = 1_000_000
PUT_METRIC_DATA_MAX_VALUES_PER_DATUM = 150
METRIC_MAX_DIMENSIONS = 30
METRIC_NAME_MAX_LENGTH = 255
METRIC_DIMENSION_MAX_LENGTH = 1_024
METRIC_MAX_AGE = timedelta(days=14)
# How long a datapoint stays unreadable after it was put, by its age then.
METRIC_VISIBILITY_DELAYS = {
    timedelta(hours=24): timedelta(hours=48),
    timedelta(hours=3): timedelta(hours=2),
}

# Lambda: a synchronous call's request, and its answer
LAMBDA_PAYLOAD_MAX_BYTES = 6 * 1024 * 1024

# CloudWatch Logs
LOG_GROUP_NAME_PATTERN = r"[A-Za-z0-9._/#-]{1,512}"

# SageMaker jobs and models
SAGEMAKER_NAME_PATTERN = r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"
SAGEMAKER_NAME_MAX_LENGTH = 63

# SageMaker endpoints: a request to a serverless endpoint, the smaller of two limits, with room for headers
ENDPOINT_REQUEST_MAX_BYTES = 4_000_000

# DynamoDB: an eventually consistent read takes one read unit for two of these
READ_UNIT_BYTES = 4_096
STREAM_RETENTION = timedelta(hours=24)

# SageMaker Random Cut Forest
RCF_NUM_TREES = range(50, 1_000 + 1)
RCF_NUM_SAMPLES_PER_TREE = range(1, 2_048 + 1)

# Step Functions, Lambda, SNS, EventBridge
STATE_PAYLOAD_MAX_BYTES = 262_144
EXECUTION_HISTORY_MAX_EVENTS = 25_000
LAMBDA_PAYLOAD_MAX_BYTES = 6 * 1024 * 1024
SNS_SUBJECT_MAX_LENGTH = 100
SNS_MESSAGE_MAX_BYTES = 262_144
PUT_EVENTS_MAX_ENTRIES = 10
PUT_EVENTS_MAX_BYTES = 262_144

# SQS, Kinesis
SQS_MESSAGE_MAX_BYTES = 1024 * 1024
SEND_MESSAGE_BATCH_MAX_ENTRIES = 10
SEND_MESSAGE_BATCH_MAX_BYTES = 1024 * 1024
PUT_RECORDS_MAX_RECORDS = 500
PUT_RECORDS_MAX_BYTES = 10 * 1024 * 1024


def metric_retention(period_seconds: int) -> timedelta:
    """Return the time for which CloudWatch keeps datapoints of this period."""
    for step in sorted(METRIC_RETENTION, reverse=True):
        if period_seconds % step == 0:
            return METRIC_RETENTION[step]
    return timedelta(hours=3)


def period_step(period_seconds: int) -> int:
    """Return the step (seconds) that CloudWatch wants periods to be multiples of.

    A start further back than 15 days needs a multiple of 300, beyond 63 days of 3,600, or nothing is returned
    (`MetricStat.Period` in the API reference).
    """
    return max((step for step in METRIC_RETENTION if step <= period_seconds), default=1)
