"""A listener that knows devices by the certificates of an authority, and our own services over TLS."""

import ssl
from pathlib import Path

import pytest
from pydantic import SecretStr

from devices.credentials.issuing import end_credentials, issue_credential
from devices.credentials.nouns import CredentialKind, EndedBecause
from millpond.embedded.ports import free_port
from millpond.kernel.broker import TlsFiles, tls_context
from millpond.kernel.errors import Unavailable
from outward.connection import BrokerLink
from tests.certificates import write_certificates
from tests.outward.clients import Client
from tests.outward.conftest import AT, Guarded

OWN, OTHER = "millpond/v1/AIR-1/telemetry", "millpond/v1/AIR-2/telemetry"


@pytest.fixture
def listener(tmp_path: Path) -> dict[str, object]:
    """A listener on which a certificate says who somebody is."""
    write_certificates(tmp_path, "AIR-1", "AIR-2")
    return {
        "listener": f"{free_port()} 127.0.0.1",
        "cafile": tmp_path / "ca.pem",
        "certfile": tmp_path / "server.pem",
        "keyfile": tmp_path / "server.key",
        "require_certificate": "true",
        "use_identity_as_username": "true",
        # A device that comes with another client id could end another one's connection.
        "use_username_as_clientid": "true",
    }


@pytest.fixture
def port(listener: dict[str, object]) -> int:
    return int(str(listener["listener"]).split()[0])


@pytest.fixture
def certified(guarded: Guarded) -> Guarded:
    """Two devices that prove themselves by certificates."""
    for serial in ("AIR-1", "AIR-2"):
        device, kind = guarded.device(serial), CredentialKind.CERTIFICATE
        issue_credential(guarded.conn, guarded.settings.device_keys(), device, at=AT, by="operator:o", kind=kind)
    guarded.sync()
    return guarded


def certificate(folder: Path, name: str) -> ssl.SSLContext:
    return tls_context(TlsFiles(folder / "ca.pem", folder / f"{name}.pem", folder / f"{name}.key"))


def test_a_device_with_a_certificate_speaks_under_the_serial_it_says(
    certified: Guarded, port: int, tmp_path: Path
) -> None:
    with Client(port, "any", "AIR-2", "any", tls=certificate(tmp_path, "AIR-1")) as device:
        assert device.may_publish(OWN)
        assert not device.may_publish(OTHER)


def test_the_client_id_of_another_device_takes_over_nothing(certified: Guarded, port: int, tmp_path: Path) -> None:
    with Client(port, "AIR-1", "", "", tls=certificate(tmp_path, "AIR-1")) as device:
        with Client(port, "AIR-1", "", "", tls=certificate(tmp_path, "AIR-2")) as other:
            assert other.may_publish(OTHER)
        assert device.may_publish(OWN)


def test_a_certificate_of_no_device_says_and_hears_nothing(certified: Guarded, port: int, tmp_path: Path) -> None:
    with Client(port, "client", "", "", tls=certificate(tmp_path, "client")) as stranger:
        assert not stranger.may_subscribe("#")
        assert not stranger.may_publish(OWN)


def test_a_certificate_whose_device_was_revoked_is_worth_nothing(certified: Guarded, port: int, tmp_path: Path) -> None:
    with Client(port, "AIR-1", "", "", tls=certificate(tmp_path, "AIR-1")) as device:
        assert device.may_publish(OWN)
        because = EndedBecause.REVOKED
        end_credentials(certified.conn, certified.device("AIR-1"), at=AT, by="operator:o", because=because)
        certified.sync()
        device.wait(lambda: device.ended)
    with Client(port, "AIR-1", "", "", tls=certificate(tmp_path, "AIR-1")) as device:
        assert not device.may_publish(OWN)


def test_the_name_of_a_certificate_is_no_password_elsewhere(certified: Guarded) -> None:
    with Client(certified.broker.port, "AIR-1", "AIR-1", "") as device:
        assert not device.let_in


def test_our_services_speak_tls_with_a_certificate_of_their_own(certified: Guarded, port: int, tmp_path: Path) -> None:
    files = {
        "broker_url": SecretStr(f"mqtts://127.0.0.1:{port}"),
        "broker_ca_file": tmp_path / "ca.pem",
        "broker_client_cert_file": tmp_path / "AIR-1.pem",
        "broker_client_key_file": tmp_path / "AIR-1.key",
    }
    settings = certified.settings.model_copy(update=files)
    with BrokerLink(settings.broker_address(), "ours") as link:
        link.publish([(OWN, b"x")])
    unknown = settings.model_copy(update={"broker_ca_file": None})
    with pytest.raises(Unavailable, match="certificate"), BrokerLink(unknown.broker_address(), "ours"):
        pass
