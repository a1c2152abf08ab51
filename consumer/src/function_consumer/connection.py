"""How a client signs in: Lambda's kinds of authentication as settings of librdkafka."""

import json
from collections.abc import Mapping
from typing import Any

_SASL = {
    "BASIC_AUTH": "PLAIN",
    "SASL_SCRAM_256_AUTH": "SCRAM-SHA-256",
    "SASL_SCRAM_512_AUTH": "SCRAM-SHA-512",
}


class InvalidSecret(Exception):
    """A secret that has not what the authentication needs; the message never has its content."""


def connection(
    servers: str, kind: str | None = None, secret: str = "", root_ca: str = ""
) -> dict[str, Any]:
    """Return the settings for brokers and a kind of Lambda's SourceAccessConfigurations, None without authentication.

    `secret` is the JSON text of the secret, `root_ca` that of a private authority's certificate. Raises `InvalidSecret`.
    """
    settings: dict[str, Any] = {"bootstrap.servers": servers}
    if root_ca:
        settings["ssl.ca.pem"] = _fields(root_ca, "certificate")["certificate"]
    if kind is None:
        return settings | ({"security.protocol": "ssl"} if root_ca else {})
    if kind == "CLIENT_CERTIFICATE_TLS_AUTH":
        fields = _fields(secret, "certificate", "privateKey")
        key = {"ssl.key.password": fields["privateKeyPassword"]} if "privateKeyPassword" in fields else {}  # fmt: skip
        return settings | key | {
            "security.protocol": "ssl",
            "ssl.certificate.pem": fields["certificate"],
            "ssl.key.pem": fields["privateKey"],
        }  # fmt: skip
    if kind not in _SASL:
        known = ", ".join(["CLIENT_CERTIFICATE_TLS_AUTH", *_SASL])
        raise InvalidSecret(f"{kind} is not a known authentication; expected one of {known}")
    fields = _fields(secret, "username", "password")
    return settings | {
        "security.protocol": "sasl_ssl",
        "sasl.mechanism": _SASL[kind],
        "sasl.username": fields["username"],
        "sasl.password": fields["password"],
    }


def iam_connection(servers: str, region: str) -> dict[str, Any]:
    """Return the settings for Amazon MSK with IAM, signed by the credentials of the environment."""
    from aws_msk_iam_sasl_signer import MSKAuthTokenProvider  # noqa: PLC0415 - the extra `msk`

    def token(_: str) -> tuple[str, float]:
        text, expires = MSKAuthTokenProvider.generate_auth_token(region)
        return text, expires / 1_000

    return {
        "bootstrap.servers": servers,
        "security.protocol": "sasl_ssl",
        "sasl.mechanism": "OAUTHBEARER",
        "oauth_cb": token,
    }


def _fields(secret: str, *names: str) -> Mapping[str, str]:
    try:
        fields = json.loads(secret)
    except ValueError:
        fields = None
    if not isinstance(fields, dict) or any(not isinstance(fields.get(name), str) for name in names):
        raise InvalidSecret(f"the secret must be a JSON object with {' and '.join(names)}")
    return fields
