"""The local AWS: what this application, boto3, the AWS CLI and the SAM CLI cannot tell from AWS, in one process."""

from local.aws.faults import Fault
from local.aws.local_aws import LocalAws
from local.aws.sagemaker import SageMakerBehaviour
from local.aws.stacks import Execution, Stack

__all__ = ["Execution", "Fault", "LocalAws", "SageMakerBehaviour", "Stack"]
