"""A local AWS in one process, for boto3, the AWS CLI, the SAM CLI and serverless applications."""

from localaws.faults import Fault
from localaws.local_aws import LocalAws
from localaws.sagemaker import SageMakerBehaviour
from localaws.stacks import Execution, Stack

__all__ = ["Execution", "Fault", "LocalAws", "SageMakerBehaviour", "Stack"]
