"""The local AWS: what this application, boto3, the AWS CLI and the SAM CLI cannot tell from AWS, in one process."""

from local.aws.faults import Fault
from local.aws.local_aws import LocalAws

__all__ = ["Fault", "LocalAws"]
