"""All settings: one frozen tree read from `MILLPOND_*`, validated at start."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any, Self

import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from millpond.kernel.broker_settings import BrokerSettings
from millpond.kernel.clock import Clock, parse_clock
from millpond.kernel.device_bounds import DeviceBounds
from millpond.kernel.device_keys import DeviceSecrets
from millpond.kernel.errors import ConfigurationError
from millpond.kernel.fleet_topics import FleetTopics
from millpond.kernel.http_bounds import HttpBounds
from millpond.kernel.identity_settings import IdentitySettings
from millpond.kernel.kept import KeptDays
from millpond.kernel.own_files import OwnFiles
from millpond.kernel.segment_settings import SegmentSettings
from millpond.kernel.signing import SigningSecrets

_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


class Settings(
    BaseSettings,
    KeptDays,
    SigningSecrets,
    BrokerSettings,
    DeviceBounds,
    HttpBounds,
    DeviceSecrets,
    FleetTopics,
    OwnFiles,
    IdentitySettings,
    SegmentSettings,
):
    """What an operator can set. Each field's description is one row of the README's table."""

    model_config = SettingsConfigDict(env_prefix="MILLPOND_", frozen=True, extra="ignore", hide_input_in_errors=True)

    database_url: SecretStr = Field(
        default=SecretStr(""), description="PostgreSQL (15 to 18, with or without TimescaleDB), as a libpq URL."
    )
    require_timescale: bool = Field(
        default=False, description="Refuse to start when TimescaleDB cannot be created, instead of running without."
    )
    public_url: str = Field(
        default="http://127.0.0.1:8040", description="Address customers reach the pages at; it is printed in QR codes."
    )
    http_host: str = Field(default="127.0.0.1", description="Address that `millpond serve` listens on.")
    http_port: int = Field(default=8040, ge=0, le=65535, description="Port that `millpond serve` listens on.")
    metrics_port: int = Field(
        default=0,
        ge=0,
        le=65535,
        description="Port of a metrics page of their own for `ingest` and `serve`, at `MILLPOND_HTTP_HOST`; 0: none.",
    )
    metrics_keep_s: float = Field(
        default=5,
        ge=0,
        description="Seconds that counts of whole tables serve on the metrics page before they are made again.",
    )
    log_level: str = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR.")
    clock: str = Field(
        default="system", description="`system`, or `ORIGIN@STARTED*SPEED` to share an accelerated clock with a fleet."
    )
    batch_max_messages: int = Field(default=3000, ge=1, description="Most messages stored in one transaction.")
    batch_max_bytes: int = Field(
        default=4_194_304,
        ge=1,
        description="Most bytes of payloads stored in one transaction; one message always fits.",
    )
    batch_max_wait_ms: int = Field(
        default=50, ge=0, description="Longest time in milliseconds a message waits for its batch to fill."
    )
    in_flight_max_messages: int = Field(
        default=20_000,
        ge=1,
        description="Most unstored messages held in memory; above it ingest leaves the rest to the broker.",
    )
    in_flight_max_bytes: int = Field(
        default=67_108_864,
        ge=1,
        description="The same in bytes of payloads; each of both limits holds for live data and for backfill alone.",
    )
    payload_max_bytes: int = Field(default=262_144, ge=1024, description="Larger payloads are quarantined unread.")
    quarantine_head_bytes: int = Field(
        default=4_096,
        ge=0,
        description="Bytes that are kept of a payload larger than that, beside its digest and size.",
    )
    quarantine_max_items: int = Field(
        default=100,
        ge=1,
        description="Most refused items of one message that are kept one by one; one more row counts the rest.",
    )
    clock_past_days: float = Field(
        default=365, gt=0, description="Device times older than this many days are replaced by the receive time."
    )
    clock_future_minutes: float = Field(
        default=5,
        gt=0,
        description="Device times further ahead than this many minutes are replaced by the receive time.",
    )
    import_past_days: float = Field(
        default=3650,
        gt=0,
        le=36_500,
        description="Rows of a file of readings that are older than this many days are refused.",
    )
    reading_keep_days: int = Field(
        default=400,
        ge=0,
        le=36_500,
        description="Days that readings are kept one by one, at least those of `MILLPOND_CLOCK_PAST_DAYS`;"
        " of older ones hours and days are kept. 0 means for ever.",
    )
    hour_keep_days: int = Field(
        default=750,
        ge=0,
        le=36_500,
        description="Days that each hour's least, most and mean are kept, for charts. 0 means for ever.",
    )
    day_keep_days: int = Field(
        default=1100,
        ge=0,
        le=36_500,
        description="Days that each day's values are kept; forecasts read 730. 0 means for ever.",
    )
    gap_answers_max: int = Field(
        default=5,
        ge=1,
        description=(
            "Times that missing numbers are asked for and answered by what cannot be read, before they are given up."
        ),
    )
    gap_ask_max_h: float = Field(
        default=6, gt=0, description="Longest time in hours between two requests for the same missing numbers."
    )
    boot_ranges_max: int = Field(
        default=1000,
        ge=10,
        description="Most pieces in which the numbers of one boot are kept; what is beyond them is not acknowledged.",
    )
    status_grace_s: float = Field(
        default=4, gt=0, description="Seconds without a heartbeat of ingest or database after which /readyz turns red."
    )
    delivery_days: int = Field(default=3, ge=0, le=3650, description="Days a delivery takes, a part of the lead time.")
    margin_days: int = Field(
        default=7, ge=0, le=3650, description="Days of safety margin, the other part of the lead time."
    )
    offer_discount_bp: int = Field(
        default=1000,
        ge=0,
        le=9000,
        description="Discount of an offer on the list price, in basis points; what ran out is offered again without.",
    )
    new_device_days: int = Field(
        default=30,
        ge=1,
        le=3650,
        description="Days after a device is installed in which it may bring offers for what fits it.",
    )
    customer_devices_max: int = Field(
        default=100, ge=1, description="Most devices that one customer may claim; an operator may assign more."
    )
    claim_tries_max: int = Field(
        default=10, ge=1, description="Most claim codes that one customer may try within an hour."
    )
    order_ceiling_minor: int = Field(
        default=1_000_000,
        ge=0,
        description="Total of an order, in minor units of its currency, above which commission waits for an operator.",
    )
    day_ceiling_minor: int = Field(
        default=3_000_000,
        ge=0,
        description="The same for all that was credited to one staff member in the 24 hours up to an order.",
    )
    screen_code_s: float = Field(
        default=60, gt=0, description="Seconds that a staff code on a screen is good for, on the platform's clock."
    )
    forecast_period_h: float = Field(default=24, gt=0, description="Hours between two runs of the forecast job.")
    late_data_period_h: float = Field(
        default=1,
        gt=0,
        description="Hours between two looks for days that got readings late, to roll them up and forecast again.",
    )
    offers_period_h: float = Field(default=1, gt=0, description="Hours between two runs of the offers job.")
    score_period_h: float = Field(
        default=24, gt=0, description="Hours between two runs of the job that scores customers."
    )
    segment_model_refit_days: float = Field(
        default=7, gt=0, description="Days after which the models of customers are fitted anew, before they are scored."
    )
    clv_discount_bp: int = Field(
        default=1000,
        ge=0,
        le=10_000,
        description="By how much money of a year later counts for less in what a customer is worth, in basis points.",
    )
    propensity_days: int = Field(
        default=30, ge=1, le=365, description="Days ahead in which a propensity says that somebody buys of a category."
    )
    lease_s: float = Field(
        default=60,
        gt=0,
        description="Seconds after which the period of a scheduler that stopped or died may be taken over.",
    )
    tick_s: float = Field(default=5, gt=0, description="Seconds between two looks of the scheduler at what is due.")

    @field_validator("log_level")
    @classmethod
    def _log_level_exists(cls, text: str) -> str:
        if text.upper() not in _LOG_LEVELS:
            raise ValueError(f"{text!r} is none of {', '.join(_LOG_LEVELS)}")
        return text.upper()

    @field_validator("clock")
    @classmethod
    def _clock_parses(cls, text: str) -> str:
        parse_clock(text)
        return text

    @field_validator("reading_keep_days")
    @classmethod
    def _keeps_what_may_come_late(cls, days: int, known: ValidationInfo) -> int:
        # A device may send what is so old again; with its first copy gone it would be counted twice.
        if days and days < known.data.get("clock_past_days", 0):
            raise ValueError(f"{days} days are less than MILLPOND_CLOCK_PAST_DAYS, in which readings may still come")
        return days

    @field_validator("database_url")
    @classmethod
    def _database_url_parses(cls, url: SecretStr) -> SecretStr:
        try:
            conninfo_to_dict(url.get_secret_value())
        except psycopg.ProgrammingError as error:
            # What is wrong with it may quote the password.
            raise ValueError("it is not a libpq URL: write postgresql://user:pass@host:port/database") from error
        return url

    def make_clock(self) -> Clock:
        """The clock that the edge of every service reads."""
        return parse_clock(self.clock)

    def require(self, *names: str) -> Self:
        """Self, or ConfigurationError naming the first of `names` that is not set (or a secret that is too short)."""
        for name in names:
            value = getattr(self, name)
            text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            if name == "jwt_secret":
                self.require_secrets()
            elif not text:
                raise ConfigurationError(f"MILLPOND_{name.upper()} is not set: {_describe(name)}")
        return self


def load_settings(**overrides: Any) -> Settings:
    """Settings from the environment, with `overrides` on top; ConfigurationError with one sentence when wrong."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        raise ConfigurationError(f"MILLPOND_{name} is wrong: {first['msg'].removeprefix('Value error, ')}") from error


def find_misspelled(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each of the environment's `names` that is nearly a setting's, which nothing reads, and the setting."""
    known = [f"MILLPOND_{name.upper()}" for name in Settings.model_fields]
    for name in sorted(names):
        if name.upper() not in known and (meant := get_close_matches(name.upper(), known, n=1, cutoff=0.9)):
            yield name, meant[0]


def _describe(name: str) -> str:
    return (Settings.model_fields[name].description or "").replace("`", "")


def settings_table() -> str:
    """The README's table of settings, as Markdown."""
    rows = ["| variable | default | meaning |", "| --- | --- | --- |"]
    # How long rows are kept comes last.
    for name, field in sorted(Settings.model_fields.items(), key=lambda item: item[0] in KeptDays.model_fields):
        default = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
        default = str(default).lower() if isinstance(default, bool) else default
        shown = "–" if default in ("", None) else f"`{default}`"
        rows.append(f"| `MILLPOND_{name.upper()}` | {shown} | {field.description} |")
    return "\n".join(rows)
