"""Brokers that want TLS and a password, and what is told if they do not get them."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from function_consumer import beginning
from function_consumer.beginning import NoBeginning, begin
from function_consumer.connection import connection
from function_consumer.loop import Loop, Subscription
from function_consumer.queue import Settings
from function_consumer.records import Origin
from localaws.kafka.broker import KafkaBroker
from tests.kafka.conftest import JARS, demand_kafka

USER, PASSWORD, TOPIC = "shop", "right", "log"
PATIENCE = 60.0


def pem_of_authority() -> tuple[str, str]:
    """Return a key and its certificate for 127.0.0.1, which signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Cutwatch tests")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private.decode(), certificate.public_bytes(Encoding.PEM).decode()


KEY, CERTIFICATE = pem_of_authority()
LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule"


def one_line(pem: str) -> str:
    """Write a PEM text as a Java property."""
    return pem.strip().replace("\n", "\\n")


SECURED = f"""
listener.security.protocol.map=PLAINTEXT:SASL_SSL,CONTROLLER:PLAINTEXT
sasl.enabled.mechanisms=PLAIN
sasl.mechanism.inter.broker.protocol=PLAIN
ssl.keystore.type=PEM
ssl.keystore.key={one_line(KEY)}
ssl.keystore.certificate.chain={one_line(CERTIFICATE)}
ssl.truststore.type=PEM
ssl.truststore.certificates={one_line(CERTIFICATE)}
listener.name.plaintext.plain.sasl.jaas.config={LOGIN} required username="{USER}" password="{PASSWORD}" user_{USER}="{PASSWORD}";
"""


@pytest.fixture(scope="module")
def secured() -> Iterator[KafkaBroker]:
    """A broker with a topic that has one record."""
    demand_kafka()
    with KafkaBroker(JARS, SECURED) as broker:
        settings = signing_in(broker)
        admin = AdminClient(settings)
        [created] = admin.create_topics([NewTopic(TOPIC, 1, 1)]).values()
        created.result(PATIENCE)
        producer = Producer(settings)
        producer.produce(TOPIC, b"one")
        assert producer.flush(PATIENCE) == 0
        yield broker


def signing_in(
    broker: KafkaBroker, password: str = PASSWORD, certificate: str = CERTIFICATE
) -> dict[str, Any]:
    secret = json.dumps({"username": USER, "password": password})
    authority = json.dumps({"certificate": certificate}) if certificate else ""
    return connection(broker.address, "BASIC_AUTH", secret, authority)


def read(settings: dict[str, Any]) -> tuple[int, str]:
    """Read until there are records or a problem; return how many, and the problem."""
    events: list[object] = []
    subscription = Subscription([TOPIC], "readers", settings)
    loop = Loop(
        subscription,
        Settings(),
        Origin("broker", None),
        events.append,
        lambda lost: pytest.fail(f"given up: {lost}"),
        time.time,
    )
    end = time.monotonic() + PATIENCE
    try:
        while not events and not loop.problem.text and time.monotonic() < end:
            loop.step(0.2)
    finally:
        loop.close()
    return len(events), loop.problem.text


def test_records_are_read_with_the_password(secured: KafkaBroker) -> None:
    assert read(signing_in(secured)) == (1, "")


def test_a_wrong_password_is_the_problem(secured: KafkaBroker) -> None:
    _, problem = read(signing_in(secured, password="wrong"))
    assert "Invalid username or password" in problem


def test_an_unknown_authority_is_the_problem(secured: KafkaBroker) -> None:
    _, problem = read(signing_in(secured, certificate=""))
    assert "certificate could not be verified" in problem


def test_a_missing_authentication_is_the_suspicion(secured: KafkaBroker) -> None:
    _, problem = read(connection(secured.address))
    assert problem.endswith("do they expect TLS, or another authentication?")


def test_a_group_that_cannot_begin_says_why(
    secured: KafkaBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beginning, "_SECONDS", 2.0)
    with pytest.raises(NoBeginning, match="Invalid username or password"):
        begin(Subscription([TOPIC], "latest", signing_in(secured, password="wrong")))
