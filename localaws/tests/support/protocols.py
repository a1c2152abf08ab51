"""Requests to CloudWatch in each of its protocols, without an SDK in between."""

import gzip
import json
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

import cbor2

from localaws import LocalAws

CREDENTIAL = "Credential=old-cli/20260301/us-east-1/monitoring/aws4_request"
AUTHORIZATION = f"AWS4-HMAC-SHA256 {CREDENTIAL}, SignedHeaders=host, Signature=0"
XML = "{http://monitoring.amazonaws.com/doc/2010-08-01/}"


def post(aws: LocalAws, body: bytes, **headers: str) -> bytes:
    sent = {"Authorization": AUTHORIZATION, **{k.replace("_", "-"): v for k, v in headers.items()}}
    request = urllib.request.Request(aws.endpoint_url, body, sent)
    with urllib.request.urlopen(request) as response:
        answer: bytes = response.read()
        return answer


def post_query(aws: LocalAws, **fields: str) -> ET.Element:
    body = urllib.parse.urlencode({"Version": "2010-08-01", **fields}).encode()
    return ET.fromstring(post(aws, body, Content_Type="application/x-www-form-urlencoded"))


def post_json(aws: LocalAws, operation: str, body: Mapping[str, Any], **headers: str) -> Any:
    encoded = json.dumps(body).encode()
    if headers.get("Content_Encoding") == "gzip":
        encoded = gzip.compress(encoded)
    target = f"GraniteServiceVersion20100801.{operation}"
    kind = "application/x-amz-json-1.0"
    answer = post(aws, encoded, X_Amz_Target=target, Content_Type=kind, **headers)
    return json.loads(answer or b"{}")


def post_cbor(aws: LocalAws, operation: str, body: Mapping[str, Any]) -> Any:
    request = urllib.request.Request(
        f"{aws.endpoint_url}/service/GraniteServiceVersion20100801/operation/{operation}",
        cbor2.dumps(body, datetime_as_timestamp=True),
        {
            "Authorization": AUTHORIZATION,
            "Content-Type": "application/cbor",
            "Smithy-Protocol": "rpc-v2-cbor",
        },
    )
    with urllib.request.urlopen(request) as response:
        return cbor2.loads(response.read())
