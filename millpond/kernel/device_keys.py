"""The secret from which devices' passwords are derived, so that none of them is kept anywhere."""

import base64
import hashlib
import hmac
from dataclasses import dataclass

from pydantic import BaseModel, Field, SecretStr

from millpond.kernel.errors import ConfigurationError
from millpond.kernel.secret_strength import find_weakness

_NAME = "MILLPOND_DEVICE_SECRET"


@dataclass(frozen=True, slots=True)
class DeviceKeys:
    """The keys by name, the one of now first. A name tells nothing of its key."""

    by_id: dict[str, bytes]

    @property
    def current(self) -> str:
        """The name of the key with which new passwords are derived."""
        return next(iter(self.by_id))

    def derive(self, key_id: str, purpose: str, salt: bytes) -> str:
        """A password of 256 bits in 43 characters, the same each time.

        Raises ConfigurationError when there is no key of that name any more.
        """
        if key_id not in self.by_id:
            raise ConfigurationError(
                f"a credential was derived from another {_NAME}: put that one into {_NAME}_PREVIOUS, or issue new ones"
            )
        made = hmac.digest(self.by_id[key_id], purpose.encode() + b"\0" + salt, "sha256")
        return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


class DeviceSecrets(BaseModel):
    """One secret for all devices' credentials, and its predecessor while credentials of it are in use."""

    device_secret: SecretStr = Field(
        default=SecretStr(""),
        description="Secret from which devices' passwords are derived; needed to issue any, and to tell them to a "
        "broker. Who loses it has to issue all anew.",
    )
    device_secret_previous: SecretStr = Field(
        default=SecretStr(""), description="The device secret before, as long as credentials of it are in use."
    )

    provision_tries_per_min: int = Field(
        default=30,
        ge=0,
        description="Wrong tries at a device's first contact that an address may make in a minute; 0 is no limit, here "
        "and below.",
    )
    provision_tries_in_all_per_min: int = Field(default=3000, ge=0, description="The same for all addresses together.")

    def device_keys(self) -> DeviceKeys:
        """The keys that are set. Raises ConfigurationError without a secret, or with a weak one."""
        given = [secret.get_secret_value() for secret in (self.device_secret, self.device_secret_previous)]
        if not given[0]:
            raise ConfigurationError(f"{_NAME} is not set: devices' credentials are derived from it")
        for name, secret in zip((_NAME, f"{_NAME}_PREVIOUS"), given, strict=True):
            if secret and (weakness := find_weakness(secret)):
                raise ConfigurationError(f"{name} is {weakness}")
        return DeviceKeys({_name(secret.encode()): secret.encode() for secret in given if secret})


def _name(secret: bytes) -> str:
    return hashlib.sha256(b"millpond device key v1\n" + secret).hexdigest()[:12]
