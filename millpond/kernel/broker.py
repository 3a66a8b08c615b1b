"""Where a broker is, and how to trust it: the address that `mqtt://` and `mqtts://` URLs spell, and files for TLS."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from millpond.kernel.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files; without `ca_file` TLS trusts the system's authorities, without `client_cert` we show no certificate.

    `client_key` may be left out when the certificate's file has the key too.
    """

    ca_file: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = None


SYSTEM_TRUST = TlsFiles()


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Host, port, whether to speak TLS, the user's name and password when the URL has them, and TLS's files."""

    host: str
    port: int
    tls: bool
    username: str | None
    password: str | None = field(repr=False)
    files: TlsFiles = SYSTEM_TRUST


def tls_context(files: TlsFiles) -> ssl.SSLContext:
    """What a client speaks TLS with: it always checks the broker's certificate and name.

    Raises ConfigurationError with one sentence when a file cannot be used.
    """
    try:
        context = ssl.create_default_context(cafile=str(files.ca_file) if files.ca_file else None)
        if files.client_cert:
            context.load_cert_chain(files.client_cert, files.client_key)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"the TLS files cannot be used: {error}") from error
    return context


def parse_broker_url(url: str, files: TlsFiles = SYSTEM_TRUST) -> BrokerAddress:
    """The address in `mqtt://user:pass@host:port` (1883) or `mqtts://` (8883), where TLS uses `files`.

    Raises ConfigurationError with a sentence that does not repeat the password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigurationError("the broker URL is not a URL: write mqtt://user:pass@host:port") from error
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
        raise ConfigurationError(
            f"the broker URL begins with {parts.scheme or 'nothing'!r}: write mqtt://user:pass@host:port, or mqtts://"
        )
    tls = parts.scheme == "mqtts"
    username = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password else None
    return BrokerAddress(parts.hostname, port or (8883 if tls else 1883), tls, username, password, files)
