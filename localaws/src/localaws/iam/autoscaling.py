"""Needs of calls of Application Auto Scaling, which asks its callers for the rights that it uses itself."""

from collections.abc import Iterator

from localaws.api_request import ApiRequest
from localaws.embedded_ministack import ACCOUNT_ID

_ROLE = "aws-service-role/sagemaker.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
_OF_ALARMS = ("PutMetricAlarm", "DescribeAlarms", "DeleteAlarms")


def scaling_needs(request: ApiRequest) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yield action, resource and context of each permission."""
    place = f"{request.region}:{ACCOUNT_ID}"
    target = f"arn:aws:application-autoscaling:{place}:scalable-target/0"
    yield f"application-autoscaling:{request.operation}", target, {}
    resource = str(request.parameters.get("ResourceId", ""))
    endpoint = resource.partition("/variant/")[0]
    if request.operation == "RegisterScalableTarget":
        arn = f"arn:aws:sagemaker:{place}:{endpoint}"
        yield "sagemaker:DescribeEndpoint", arn, {}
        yield "sagemaker:UpdateEndpointWeightsAndCapacities", arn, {}
        name = {"iam:awsservicename": "sagemaker.application-autoscaling.amazonaws.com"}
        yield "iam:CreateServiceLinkedRole", f"arn:aws:iam::{ACCOUNT_ID}:role/{_ROLE}", name
    if request.operation == "PutScalingPolicy":
        alarm = f"arn:aws:cloudwatch:{place}:alarm:TargetTracking-{resource}-AlarmHigh"
        yield from ((f"cloudwatch:{each}", alarm, {}) for each in _OF_ALARMS)
