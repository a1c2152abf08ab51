"""The environment in which the command line reaches a local AWS, and no configuration of the person who runs the tests."""

import os

from localaws import LocalAws


def operator_environment(aws: LocalAws) -> dict[str, str]:
    """Return endpoint, credentials and Region."""
    return {
        "AWS_ENDPOINT_URL": aws.endpoint_url,
        "AWS_ACCESS_KEY_ID": "operator",
        "AWS_SECRET_ACCESS_KEY": "operator",
        "AWS_DEFAULT_REGION": aws.region,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
