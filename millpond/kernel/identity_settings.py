"""The settings that say how customers are known by what others call them."""

from pydantic import BaseModel, Field, SecretStr, field_validator

from millpond.kernel.secret_strength import find_weakness

_LIMIT_WORDS = "A JSON object by namespace (anonymous, card, device, email, external, messenger, phone)"


class IdentitySettings(BaseModel):
    """The secret of e-mails and phones, and how much one identifier or one customer may tie together."""

    identifier_secret: SecretStr = Field(
        default=SecretStr(""),
        description="Secret under which e-mails and phones are kept as HMACs, at least 32 bytes; without one they are "
        "left out, and nobody is known by them.",
    )
    identifier_secret_previous: SecretStr = Field(
        default=SecretStr(""),
        description="The `MILLPOND_IDENTIFIER_SECRET` before: who was known under it is known again when their value "
        "is seen.",
    )
    phone_region: str = Field(
        default="KR",
        pattern="^[A-Z]{2}$",
        description="Country (two letters) of phone numbers that are written without one.",
    )
    identifier_customers_max: dict[str, int] = Field(
        default={"anonymous": 5, "device": 8, "email": 3, "phone": 3, "card": 3, "messenger": 3},
        description=f"{_LIMIT_WORDS}: an identifier of more customers is blocked and leads to nobody.",
    )
    customer_identifiers_max: dict[str, int] = Field(
        default={
            "external": 10,
            "anonymous": 500,
            "device": 200,
            "email": 20,
            "phone": 20,
            "card": 20,
            "messenger": 20,
        },
        description=f"{_LIMIT_WORDS}: how many of them one customer may have.",
    )

    @field_validator("identifier_secret", "identifier_secret_previous")
    @classmethod
    def _is_a_secret(cls, secret: SecretStr) -> SecretStr:
        text = secret.get_secret_value()
        if text and (weakness := find_weakness(text)):
            raise ValueError(f"it is {weakness}")
        return secret

    @field_validator("identifier_customers_max", "customer_identifiers_max")
    @classmethod
    def _counts(cls, limits: dict[str, int]) -> dict[str, int]:
        names = {"anonymous", "card", "device", "email", "external", "messenger", "phone"}
        if wrong := limits.keys() - names:
            raise ValueError(f"{min(wrong)!r} is none of {', '.join(sorted(names))}")
        if any(most < 1 for most in limits.values()):
            raise ValueError("a limit is 1 or more")
        return limits
