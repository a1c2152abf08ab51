"""Callers behind access keys."""

import hashlib
from dataclasses import dataclass

from localaws.embedded_ministack import ACCOUNT_ID, service

OPERATOR = "local-operator"


@dataclass(frozen=True)
class Credentials:
    """Temporary credentials of a role."""

    access_key: str
    secret_key: str
    token: str = ""


OPERATOR_CREDENTIALS = Credentials(OPERATOR, OPERATOR)


def assume(role: str, session: str) -> Credentials:
    """Return credentials of the role that STS knows, so that every call identifies its caller."""
    digest = hashlib.sha256(f"{role}/{session}".encode()).hexdigest()
    credentials = Credentials(f"ASIA{digest[:16].upper()}", digest[16:56], digest)
    service("sts").register_session(
        credentials.access_key,
        {
            "Arn": f"arn:aws:sts::{ACCOUNT_ID}:assumed-role/{role}/{session}"[:2048],
            "UserId": f"{role}:{session}",
            "SecretAccessKey": credentials.secret_key,
            "SessionToken": credentials.token,
        },
    )
    return credentials


def caller_of(access_key: str) -> str:
    """Return role and session of a temporary key, such as `my-role/my-function`, or else the key itself."""
    session = service("sts")._sessions.get(access_key)
    if session is None:
        return access_key
    return str(session["Arn"]).partition(":assumed-role/")[2] or access_key


def role_of(caller: str) -> str | None:
    """Return the role of a caller; the operator has none and may do everything."""
    role, slash, _ = caller.partition("/")
    return role if slash else None
