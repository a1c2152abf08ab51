"""The local AWS: what this application, boto3, the AWS CLI and the SAM CLI cannot tell from AWS, in one process."""

from localaws.faults import Fault
from localaws.local_aws import LocalAws
from localaws.sagemaker import SageMakerBehaviour
from localaws.stacks import Execution, Stack

__all__ = ["Execution", "Fault", "LocalAws", "SageMakerBehaviour", "Stack"]
