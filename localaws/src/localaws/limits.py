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
# How long CloudWatch keeps datapoints, by the longest period (seconds) of each class.
METRIC_RETENTION = {
    60: timedelta(days=15),
    300: timedelta(days=63),
    3600: timedelta(days=455),
}

# DynamoDB exports: the window of point in time recovery
TABLE_EXPORT_MAX_AGE = timedelta(days=35)
# Glue: runs of a job at once, unless the job says otherwise, and the timeout of a run in minutes
GLUE_JOB_MAX_CONCURRENT_RUNS = 1
GLUE_JOB_TIMEOUT_MINUTES = 480

# CloudWatch PutMetricData
PUT_METRIC_DATA_MAX_DATUMS = 1_000
PUT_METRIC_DATA_MAX_BYTES = 1_000_000
PUT_METRIC_DATA_MAX_VALUES_PER_DATUM = 150
METRIC_MAX_DIMENSIONS = 30
METRIC_NAME_MAX_LENGTH = 255
METRIC_DIMENSION_MAX_LENGTH = 1_024
METRIC_MAX_AGE = timedelta(days=14)
METRIC_MAX_AHEAD = timedelta(hours=2)
# How long a datapoint stays unreadable after it was put, by its age then. AWS gives two hours as a maximum and 48 hours as
# what it "can take at least".
METRIC_VISIBILITY_DELAYS = {
    timedelta(hours=24): timedelta(hours=48),
    timedelta(hours=3): timedelta(hours=2),
}
RESERVED_NAMESPACE_PREFIX = "AWS/"

# SageMaker Random Cut Forest
RCF_FEATURE_DIM = range(1, 10_000 + 1)
RCF_NUM_TREES = range(50, 1_000 + 1)
RCF_NUM_SAMPLES_PER_TREE = range(1, 2_048 + 1)

# SageMaker endpoints: bodies of requests
ENDPOINT_PAYLOAD_MAX_BYTES = 6_291_456
SERVERLESS_ENDPOINT_PAYLOAD_MAX_BYTES = 4 * 1024 * 1024

# Step Functions, Lambda, SNS, EventBridge
STATE_PAYLOAD_MAX_BYTES = 262_144
EXECUTION_HISTORY_MAX_EVENTS = 25_000
LAMBDA_PAYLOAD_MAX_BYTES = 6 * 1024 * 1024
LAMBDA_WINDOW_STATE_MAX_BYTES = 1024 * 1024
LAMBDA_MAPPING_RECORD_AGE_SECONDS = range(60, 604_800 + 1)
LAMBDA_MAPPING_MAX_FILTERS = 5
SNS_SUBJECT_MAX_LENGTH = 100
SNS_MESSAGE_MAX_BYTES = 262_144

# Kinesis: of a shard, of a call, of a stream
KINESIS_SHARD_RECORDS_PER_SECOND = 1_000
KINESIS_SHARD_WRITE_BYTES_PER_SECOND = 1024 * 1024
KINESIS_SHARD_READS_PER_SECOND = 5
KINESIS_SHARD_READ_BYTES_PER_SECOND = 2 * 1024 * 1024
KINESIS_PUT_RECORDS_MAX_BYTES = 10 * 1024 * 1024
KINESIS_GET_RECORDS_MAX_RECORDS = 10_000
KINESIS_GET_RECORDS_MAX_BYTES = 10 * 1024 * 1024
KINESIS_RECORD_DEFAULT_MAX_KIB = 1_024
KINESIS_RETENTION_HOURS = range(24, 8_760 + 1)
KINESIS_ITERATOR_LIFETIME = timedelta(minutes=5)
KINESIS_ON_DEMAND_FIRST_SHARDS = 4


def visibility_delay(age: timedelta) -> timedelta:
    """Return how long a datapoint stays unreadable that is put at this age."""
    delays = (delay for youngest, delay in METRIC_VISIBILITY_DELAYS.items() if age >= youngest)
    return max(delays, default=timedelta(0))


def metric_retention(period_seconds: int) -> timedelta:
    """Return how long CloudWatch keeps datapoints of this period."""
    for step in sorted(METRIC_RETENTION, reverse=True):
        if period_seconds % step == 0:
            return METRIC_RETENTION[step]
    return timedelta(hours=3)
