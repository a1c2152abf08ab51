"""The local AWS put back to where it was."""

import json

from localaws import LocalAws
from tests.support import snapshots

ALARM = {
    "AlarmName": "orders",
    "Namespace": "Shop",
    "MetricName": "Orders",
    "Statistic": "Maximum",
    "Period": 300,
    "EvaluationPeriods": 1,
    "Threshold": 0,
    "ComparisonOperator": "GreaterThanThreshold",
    "TreatMissingData": "notBreaching",
}


def test_objects_items_and_datapoints_are_put_back(aws: LocalAws) -> None:
    s3, dynamodb, cloudwatch = (aws.client(each) for each in ("s3", "dynamodb", "cloudwatch"))
    s3.create_bucket(Bucket="held")
    dynamodb.create_table(
        TableName="held",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    s3.put_object(Bucket="held", Key="a", Body=b"1")
    dynamodb.put_item(TableName="held", Item={"pk": {"S": "a"}, "n": {"N": "1"}})
    before = snapshots.take(aws)
    s3.put_object(Bucket="held", Key="a", Body=b"2")
    s3.put_object(Bucket="held", Key="b", Body=b"3")
    dynamodb.put_item(TableName="held", Item={"pk": {"S": "a"}, "n": {"N": "2"}})
    cloudwatch.put_metric_data(Namespace="Held", MetricData=[{"MetricName": "m", "Value": 1}])

    snapshots.put_back(aws, before)

    assert [each["Key"] for each in s3.list_objects_v2(Bucket="held")["Contents"]] == ["a"]
    assert s3.get_object(Bucket="held", Key="a")["Body"].read() == b"1"
    assert dynamodb.scan(TableName="held")["Items"] == [{"pk": {"S": "a"}, "n": {"N": "1"}}]
    assert cloudwatch.list_metrics(Namespace="Held")["Metrics"] == []


def test_states_of_alarms_are_put_back_and_nobody_is_told(aws: LocalAws) -> None:
    sns, sqs, cloudwatch = (aws.client(each) for each in ("sns", "sqs", "cloudwatch"))
    topic = sns.create_topic(Name="alarms")["TopicArn"]
    queue = sqs.create_queue(QueueName="alarms")["QueueUrl"]
    described = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=described["Attributes"]["QueueArn"])
    datum = {"MetricName": "Orders", "Value": 1}

    def state() -> str:
        (alarm,) = cloudwatch.describe_alarms(AlarmNames=["orders"])["MetricAlarms"]
        return str(alarm["StateValue"])

    def told() -> list[str]:
        answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        bodies = [json.loads(each["Body"]) for each in answer.get("Messages", [])]
        for message in answer.get("Messages", []):
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(body["Message"])["NewStateValue"] for body in bodies]

    cloudwatch.put_metric_alarm(**ALARM, AlarmActions=[topic], OKActions=[topic])
    assert (state(), told()) == ("OK", ["OK"])
    before = snapshots.take(aws)
    cloudwatch.put_metric_data(Namespace="Shop", MetricData=[datum])
    assert (state(), told()) == ("ALARM", ["ALARM"])
    snapshots.put_back(aws, before)
    assert (state(), told()) == ("OK", [])
    cloudwatch.put_metric_data(Namespace="Shop", MetricData=[datum])
    assert (state(), told()) == ("ALARM", ["ALARM"])
