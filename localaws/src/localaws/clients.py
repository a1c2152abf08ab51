"""boto3 clients of the local AWS, for the operator, roles and mappings."""

import os
from collections.abc import Callable
from functools import cache
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

from localaws.callers import OPERATOR_CREDENTIALS, Credentials, assume
from localaws.iam.permissions import role_name

_MAPPING_SESSION = "EventSourceMapping"


class Clients:
    """Makes clients; those of the operator and for mappings are kept, because each of them makes many calls."""

    def __init__(self, region: str, endpoint_url: Callable[[], str]) -> None:
        self._region = region
        self._endpoint_url = endpoint_url
        self._session = _session_of_its_own()
        self._of_operator: dict[str, Any] = {}
        self._of_mappings: dict[tuple[str, str], Any] = {}

    def of_operator(self, service: str, **config: Any) -> Any:
        """Return a client that may do everything: one per service, unless it is configured."""
        if config:
            return self.make(service, OPERATOR_CREDENTIALS, **config)
        if service not in self._of_operator:
            self._of_operator[service] = self.make(service, OPERATOR_CREDENTIALS)
        return self._of_operator[service]

    def make(self, service: str, caller: Credentials, **config: Any) -> Any:
        return self._session.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self._endpoint_url(),
            region_name=self._region,
            config=Config(**config),
            aws_access_key_id=caller.access_key,
            aws_secret_access_key=caller.secret_key,
            aws_session_token=caller.token or None,
        )

    def of_mapping(self, role_arn: str, service: str) -> Any:
        """Return a client that reads and sends for a function, and leaves it to the mapping to try again."""
        known = (role_arn, service)
        if known not in self._of_mappings:
            caller = assume(role_name(role_arn), _MAPPING_SESSION)
            once = {"total_max_attempts": 1}
            self._of_mappings[known] = self.make(service, caller, retries=once)
        return self._of_mappings[known]

    def forget(self) -> None:
        """Drop clients of a server that has stopped."""
        self._of_operator.clear()
        self._of_mappings.clear()


@cache
def _session_of_its_own() -> boto3.Session:
    """Return a session without the user's profiles and settings.

    All local AWSs of a process share it: parsing the models of the services takes longer than most calls.
    """
    own = {
        "profile": (None, None, None, None),
        "config_file": (None, None, os.devnull, None),
        "credentials_file": (None, None, os.devnull, None),
    }
    return boto3.Session(botocore_session=botocore.session.Session(session_vars=own))
