"""A configuration that is wrong says which variable, what, and what to do."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from millpond.kernel.broker import TlsFiles, parse_broker_url, tls_context
from millpond.kernel.errors import ConfigurationError
from millpond.kernel.settings import Settings, load_settings


def test_a_configuration_without_its_secret_is_a_start_up_error() -> None:
    with pytest.raises(ConfigurationError, match="MILLPOND_JWT_SECRET is not set"):
        load_settings(jwt_secret="").require("jwt_secret")


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="at least 32 bytes"):
        load_settings(jwt_secret="secret").require("jwt_secret")


def test_a_wrong_value_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILLPOND_HTTP_PORT", "eighty")
    with pytest.raises(ConfigurationError, match="MILLPOND_HTTP_PORT is wrong"):
        load_settings()


def test_a_log_level_may_be_written_in_any_case_and_must_exist() -> None:
    assert load_settings(log_level="warning").log_level == "WARNING"
    with pytest.raises(ConfigurationError, match=r"^MILLPOND_LOG_LEVEL is wrong: 'loud' is none of DEBUG, INFO"):
        load_settings(log_level="loud")


def test_a_clock_that_is_none_is_said_in_our_words() -> None:
    with pytest.raises(ConfigurationError, match=r"^MILLPOND_CLOCK is wrong: clock 'noon' is neither"):
        load_settings(clock="noon")


def test_a_database_url_that_is_none_is_named_without_its_password() -> None:
    with pytest.raises(ConfigurationError, match="MILLPOND_DATABASE_URL is wrong: it is not a libpq URL") as caught:
        load_settings(database_url="postgresql://u:hunter2@db/x?y")
    assert "hunter2" not in str(caught.value)


def test_days_beyond_any_calendar_are_refused() -> None:
    for name in ("delivery_days", "margin_days", "new_device_days"):
        with pytest.raises(ConfigurationError, match=f"MILLPOND_{name.upper()} is wrong: Input should be less"):
            load_settings(**{name: 10**11})


def test_readings_are_not_dropped_before_the_last_of_them_may_have_come() -> None:
    with pytest.raises(ConfigurationError, match="MILLPOND_READING_KEEP_DAYS is wrong: 364 days are less than MILL"):
        load_settings(reading_keep_days=364)
    assert load_settings(reading_keep_days=30, clock_past_days=30).reading_keep_days == 30
    assert load_settings(reading_keep_days=0).reading_keep_days == 0


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        load_settings().http_port = 1  # type: ignore[misc]  # it is frozen, which is what is tried


def test_secrets_are_not_shown() -> None:
    shown = repr(load_settings(jwt_secret="s" * 40, database_url="postgresql://u:hunter2@db/x"))
    assert "hunter2" not in shown
    assert "s" * 40 not in shown


def test_every_setting_is_described() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_the_broker_is_trusted_by_the_files_that_are_set(tmp_path: Path) -> None:
    address = load_settings(broker_url="mqtts://u@h", broker_ca_file=tmp_path / "ca.pem").broker_address()
    assert address.files == TlsFiles(ca_file=tmp_path / "ca.pem")
    with pytest.raises(ConfigurationError, match="the TLS files cannot be used"):
        tls_context(address.files)


def test_files_for_tls_beside_a_broker_in_clear_are_refused(tmp_path: Path) -> None:
    settings = load_settings(broker_url="mqtt://u@h", broker_client_cert_file=tmp_path / "us.pem")
    with pytest.raises(ConfigurationError, match="write mqtts://"):
        settings.broker_address()


def test_broker_urls_are_read() -> None:
    address = parse_broker_url("mqtts://us%40er:pa%2Fss@broker.example")
    assert (address.host, address.port, address.tls) == ("broker.example", 8883, True)
    assert (address.username, address.password) == ("us@er", "pa/ss")
    assert "pa/ss" not in repr(address)


@pytest.mark.parametrize("url", ["", "localhost:1883", "http://broker", "mqtt://", "mqtt://host:port"])
def test_a_broker_url_that_is_none_says_how_to_write_one(url: str) -> None:
    with pytest.raises(ConfigurationError, match="write mqtt://user:pass@host:port"):
        parse_broker_url(url)
