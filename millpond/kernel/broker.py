"""Where a broker is: the address that `mqtt://` and `mqtts://` URLs spell."""

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from millpond.kernel.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Host, port, whether to speak TLS, and the user's name and password when the URL has them."""

    host: str
    port: int
    tls: bool
    username: str | None
    password: str | None = field(repr=False)


def parse_broker_url(url: str) -> BrokerAddress:
    """The address in `mqtt://user:pass@host:port` (1883) or `mqtts://` (8883).

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
    return BrokerAddress(parts.hostname, port or (8883 if tls else 1883), tls, username, password)
