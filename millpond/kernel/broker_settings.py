"""The settings that say where the broker is, and whom our services are there."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field, SecretStr, field_validator

from millpond.kernel.broker import BrokerAddress, TlsFiles, parse_broker_url
from millpond.kernel.errors import ConfigurationError
from millpond.kernel.shard import Shard

# An empty variable is one that is not set.
PemFile = Annotated[Path | None, BeforeValidator(lambda text: text or None)]


class BrokerSettings(BaseModel):
    """One address and one set of TLS files for all our services that speak to the broker."""

    broker_url: SecretStr = Field(
        default=SecretStr(""), description="MQTT broker: `mqtt://user:pass@host:port`, or `mqtts://` for TLS."
    )
    broker_ca_file: PemFile = Field(
        default=None, description="PEM file of the authority that signed the broker's certificate; else the system's."
    )
    broker_client_cert_file: PemFile = Field(
        default=None, description="PEM file of the certificate by which a broker knows our services."
    )
    broker_client_key_file: PemFile = Field(
        default=None, description="PEM file of that certificate's key, when it is in a file of its own."
    )

    broker_admin_url: SecretStr = Field(
        default=SecretStr(""),
        description="The same broker with the user who keeps mosquitto's dynamic security plugin: who may sign in "
        "there is then kept to what the database says. Without it the broker's users are left alone.",
    )

    homeassistant_discovery: bool = Field(
        default=False,
        description="Publish what Home Assistant needs to show by itself until when each part lasts "
        "(`homeassistant/sensor/…/config`).",
    )
    tell_period_h: float = Field(
        default=0.25,
        gt=0,
        description="Hours between two looks at which forecasts changed, to tell devices and households; only with a "
        "broker.",
    )

    def broker_admin_address(self) -> BrokerAddress:
        """Where the broker's users are kept, with who may keep them; ConfigurationError as with `broker_address`."""
        return self._address(self.broker_admin_url)

    consumer_id: str = Field(
        default="millpond-ingest",
        description="MQTT client id of this ingest; its session at the broker is kept under it.",
    )
    shard: str = Field(
        default="1/1",
        description="`K/N`: this ingest is the K-th of N and stores every N-th serial; `docs/scaling.md` says how.",
    )

    @field_validator("shard")
    @classmethod
    def _shard_parses(cls, text: str) -> str:
        Shard.parse(text)
        return text

    def make_shard(self) -> Shard:
        """The part of all serials that this ingest stores."""
        return Shard.parse(self.shard)

    @property
    def consumer(self) -> str:
        """What this ingest is called in the database and at the broker: the consumer's id, and its shard."""
        return self.make_shard().name(self.consumer_id)

    def broker_address(self) -> BrokerAddress:
        """Where the broker is and how to trust it; ConfigurationError when what is set does not fit together."""
        return self._address(self.broker_url)

    def _address(self, url: SecretStr) -> BrokerAddress:
        files = TlsFiles(self.broker_ca_file, self.broker_client_cert_file, self.broker_client_key_file)
        address = parse_broker_url(url.get_secret_value(), files)
        if files != TlsFiles() and not address.tls:
            raise ConfigurationError("the broker URL says mqtt://, and files for TLS are set: write mqtts://")
        return address
