"""A database that has quarantined messages comes along with them."""

from datetime import UTC, datetime, timedelta

import pytest

from ingest.nouns import Delivery, Lane, Limits, Tally
from ingest.storing.batch import store_batch
from ingest.storing.quarantine import digest_of
from millpond.kernel import migrate as migrations
from millpond.kernel.db import connect
from tests.kernel.test_migrate import empty_database

__all__ = ["empty_database"]
AT = datetime(2026, 2, 1, tzinfo=UTC)
LIMITS = Limits(4_096, timedelta(days=365), timedelta(minutes=5))


def test_what_was_refused_before_items_were_known_by_device_is_known_again(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = migrations.load_migrations(timescale=False)
    before = [one for one in everything if one.name < "0121"]
    refused = Delivery("millpond/v1/NEW/telemetry", b"{", AT, Lane.LIVE, 1, 1, 1, redelivered=True)
    with connect(empty_database) as conn:
        monkeypatch.setattr(migrations, "load_migrations", lambda timescale: before)
        monkeypatch.setattr(migrations, "ensure_timescale", lambda conn, required: False)
        migrations.migrate(conn, at=AT)
        digest = digest_of(refused.topic, refused.payload)
        with conn.transaction():
            message = "insert into quarantined_message (digest, topic, payload, size_bytes, received_at)"
            conn.execute(f"{message} values (%s, %s, '{{', 1, %s)", [digest, refused.topic, AT])
            item = "insert into quarantine (digest, item, serial, code, reason, received_at)"
            conn.execute(f"{item} values (%s, '', 'NEW', 'unknown_serial', 'it is not registered', %s)", [digest, AT])
        monkeypatch.setattr(migrations, "load_migrations", lambda timescale: everything)
        migrations.migrate(conn, at=AT)
        assert store_batch(conn, [refused], LIMITS, consumer="test", at=AT).tally == Tally(duplicate=1)
        assert conn.execute("select serial, code from quarantine").fetchall() == [("NEW", "unknown_serial")]
        waits = conn.execute("select name, format, identity, by_serial, topic, messages from lobby").fetchall()
        assert waits == [("NEW", "millpond-v1", "NEW", True, refused.topic, 1)], "and it can be admitted"
