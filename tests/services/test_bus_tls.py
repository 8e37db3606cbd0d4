"""Brokers over TLS with a private authority, which ask for client certificates."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from nightowl.adapters.celery_bus.app import BrokerSettings
from nightowl.adapters.celery_bus.knock import knock
from nightowl.core.errors import ConfigurationError
from tests.servers.authority import HOST, Certificates, TlsBroker
from tests.services.bus_parts import Intake, acting, batch, directing, wait_for

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Celery leaves sockets open


@pytest.fixture(params=[pytest.param(kind, marks=getattr(pytest.mark, kind)) for kind in ("redis", "rabbitmq")])
def broker(request: pytest.FixtureRequest) -> TlsBroker:
    found: TlsBroker = request.getfixturevalue(f"{request.param}_tls")
    return found


@pytest.fixture
def strangers(tmp_path: Path) -> Certificates:
    """What another authority has issued."""
    return Certificates(tmp_path / "strangers")


def settings(broker: TlsBroker, **changed: Path | str) -> BrokerSettings:
    """What works, or what else is asked for."""
    url, issued = broker
    right = {"url": url, "ca": issued.ca, "certificate": issued.client, "key": issued.client_key}
    return BrokerSettings(**{name: str(value) for name, value in (right | changed).items()})


def test_checks_and_reports_go_over_tls(broker: TlsBroker) -> None:
    right = settings(broker)
    assert knock(right) == ""
    with acting(right), directing(right) as bus:
        bus.dispatch(batch())
        Intake(bus).wait_for(outcomes=3)


def test_the_brokers_of_locations_are_shown_the_same_files(broker: TlsBroker, tmp_path: Path) -> None:
    files = settings(broker, url=f"filesystem://{tmp_path}/bus")
    with acting(files.at(broker.url), ["sydney"]), directing(files, {"london": "", "sydney": broker.url}) as bus:
        bus.dispatch(batch(location="sydney"))
        Intake(bus).wait_for(outcomes=3)


def test_another_authority_is_not_trusted(broker: TlsBroker, strangers: Certificates) -> None:
    said = knock(settings(broker, ca=strangers.ca))
    assert f"at {HOST}:" in said
    assert f"not signed by an authority in {strangers.ca}" in said
    assert said.endswith("look at bus.ca (--ca)")


def test_a_private_authority_must_be_named(broker: TlsBroker) -> None:
    said = knock(settings(broker, ca=""))
    assert "not signed by one of the system's authorities" in said
    assert said.endswith("look at bus.ca (--ca)")


def test_a_client_certificate_that_is_asked_for_is_named(broker: TlsBroker) -> None:
    said = knock(settings(broker, certificate="", key=""))
    assert said.endswith("it may ask for a client certificate: bus.certificate (--certificate) is not set")


def test_a_client_certificate_of_strangers_is_named(broker: TlsBroker, strangers: Certificates) -> None:
    said = knock(settings(broker, certificate=strangers.client, key=strangers.client_key))
    assert f"it may not take the client certificate {strangers.client}: look at bus.certificate" in said


def test_another_host_name_is_said(broker: TlsBroker) -> None:
    said = knock(settings(broker, url=broker.url.replace(HOST, "127.0.0.1")))
    assert "its certificate is for another host name" in said
    assert said.endswith("look at the host in the broker's URL")


@pytest.mark.rabbitmq
def test_a_port_without_tls_is_said(rabbitmq_url: str, rabbitmq_tls: TlsBroker) -> None:
    url = rabbitmq_url.replace("amqp://", "amqps://").replace("127.0.0.1", HOST)
    assert "does not speak TLS at this port" in knock(settings(rabbitmq_tls, url=url))


def test_both_sides_wait_and_say_once_what_is_wrong(
    broker: TlsBroker, strangers: Certificates, caplog: pytest.LogCaptureFixture
) -> None:
    url = broker.url.replace("guest:guest@", "").replace("://", "://guest:h0nk-h0nk@")
    wrong = settings(broker, url=url, ca=strangers.ca)
    with acting(wrong) as actor, directing(wrong) as bus:
        wait_for(lambda: bus.fault and actor.fault)
        assert bus.fault.startswith(f"the broker at {HOST}:")
        assert bus.fault.endswith("look at bus.ca (--ca)")
    told = [each for each in caplog.records if each.levelno >= logging.WARNING]
    assert len(told) == 2, [each.getMessage() for each in told]  # one by each side
    assert not any(each.exc_info for each in told)
    assert "h0nk" not in caplog.text + bus.fault + actor.fault


def test_files_that_cannot_be_used_are_refused_at_the_start(strangers: Certificates, tmp_path: Path) -> None:
    broker = TlsBroker(f"amqps://owl:h0nk@{HOST}:1/", Certificates(tmp_path / "own"))
    key = load_pem_private_key(strangers.client_key.read_bytes(), None)
    sealed = tmp_path / "sealed.pem"
    sealed.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")))
    wrong = {
        "bus.ca": {"ca": strangers.client_key},
        "bus.certificate": {"key": strangers.client_key},
        "bus.certificate:": {"certificate": strangers.client, "key": sealed},
    }
    for key, files in wrong.items():
        with pytest.raises(ConfigurationError, match=key), directing(settings(broker, **files)):
            pass
