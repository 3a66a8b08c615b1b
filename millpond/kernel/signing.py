"""The settings that sign: tokens of each role, and printed badges."""

from pydantic import BaseModel, Field, SecretStr

from millpond.kernel.errors import ConfigurationError
from millpond.kernel.secret_strength import find_weakness

_OWN = ("customer_jwt_secret", "staff_jwt_secret", "operator_jwt_secret", "badge_secret")
_SIGNING = tuple(f"{name}{age}" for name in ("jwt_secret", *_OWN) for age in ("", "_previous"))
_MAIN = "Secret that signs access tokens and staff codes; at least 32 bytes, no default."


class SigningSecrets(BaseModel):
    """One secret is enough; each role and the badges may have their own, and each its predecessor for a while."""

    jwt_secret: SecretStr = Field(default=SecretStr(""), description=_MAIN)
    jwt_secret_previous: SecretStr = Field(
        default=SecretStr(""),
        description="The `MILLPOND_JWT_SECRET` before, while tokens that it signed are still about.",
    )
    customer_jwt_secret: SecretStr = Field(
        default=SecretStr(""),
        description="Secret that signs customers' tokens; without one, a key derived from `MILLPOND_JWT_SECRET`.",
    )
    customer_jwt_secret_previous: SecretStr = Field(
        default=SecretStr(""), description="The customers' secret before, during a rotation."
    )
    staff_jwt_secret: SecretStr = Field(default=SecretStr(""), description="The same for staff members' tokens.")
    staff_jwt_secret_previous: SecretStr = Field(
        default=SecretStr(""), description="The staff members' secret before, during a rotation."
    )
    operator_jwt_secret: SecretStr = Field(default=SecretStr(""), description="The same for operators' tokens.")
    operator_jwt_secret_previous: SecretStr = Field(
        default=SecretStr(""), description="The operators' secret before, during a rotation."
    )
    badge_secret: SecretStr = Field(
        default=SecretStr(""),
        description="Secret of printed badges; without one `MILLPOND_JWT_SECRET`, whose change then voids them.",
    )
    badge_secret_previous: SecretStr = Field(
        default=SecretStr(""), description="The badges' secret before, as long as badges of it are worn."
    )
    token_issuer: str = Field(default="", description="The `iss` that every token must carry; none when empty.")
    token_audience: str = Field(default="", description="The `aud` that every token must carry; none when empty.")

    def require_secrets(self) -> None:
        """Every secret that signs is a good one for one purpose; the shared one is there unless nobody needs it."""
        given = {name: getattr(self, name).get_secret_value() for name in _SIGNING}
        if not given["jwt_secret"] and not all(given[name] for name in _OWN):
            raise ConfigurationError(f"MILLPOND_JWT_SECRET is not set: {_MAIN}")
        used: dict[str, str] = {}
        for name in (name for name in _SIGNING if given[name]):
            if weakness := find_weakness(given[name]):
                raise ConfigurationError(f"MILLPOND_{name.upper()} is {weakness}")
            other = used.setdefault(given[name], name)
            # Badges may go on under the shared secret of before; who mints the tokens of a role must sign none.
            if other != name and not ("badge" in name and other.startswith(("jwt_", "badge_"))):
                raise ConfigurationError(f"MILLPOND_{name.upper()} is that of MILLPOND_{other.upper()}: take another")
