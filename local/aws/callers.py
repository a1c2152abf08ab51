"""Who is behind an access key."""

from local.aws.embedded_ministack import service

OPERATOR = "local-operator"


def caller_of(access_key: str) -> str:
    """The role and session of a temporary key, such as `my-role/my-function`; else the key itself."""
    session = service("sts")._sessions.get(access_key)
    if session is None:
        return access_key
    return str(session["Arn"]).partition(":assumed-role/")[2] or access_key
