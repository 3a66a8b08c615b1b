"""A migration that locks the tables ingest and offers write to, while they write."""

from unittest.mock import patch

from millpond.kernel import migrate as migrations
from millpond.kernel.clock import SystemClock, monotonic
from millpond.kernel.db import connect
from millpond.kernel.waiting import wait_until
from proof.household import add_household, count_offers
from proof.outcome import Outcome, Size
from proof.service import Service
from proof.stage import staged
from proof.world import World

_HELD_S = 3
# What a later version may bring: columns, a rule that looks at every row, an index. The nap stands for a large table.
_SQL = f"""
alter table reading add column proof_note text;
alter table reading add constraint proof_received_late check (received_at > '2000-01-01');
create index proof_reading_received on reading (received_at);
alter table offer add column proof_note text;
alter table offer_event add column proof_note text;
select pg_sleep({_HELD_S});
"""


def migrate_meanwhile(world: World, size: Size, seed: int) -> Outcome:
    """A migration rewrites what ingest and offers are writing to, in the middle of their work."""
    repeats = size.times(1, 10)
    with staged(world, "migration", size, seed) as stage:
        settings = stage.settings | {"MILLPOND_OFFERS_PERIOD_H": str(1 / 3600), "MILLPOND_TICK_S": "0.2"}
        scheduler = Service("schedule", settings, stage.folder / "schedule.log")
        scheduler.start()
        try:
            for number in range(repeats):
                _add_households(stage.dsn, range(number * 100, number * 100 + 30))
                migrate_later(stage.dsn, number)
                stage.until_recovered(monotonic())
                _add_households(stage.dsn, range(number * 100 + 50, number * 100 + 60))
            wait_until(lambda: not count_offers(stage.dsn).lost, "every household's offer", timeout_s=60)
        finally:
            scheduler.stop()
        stage.settle()
        offers = count_offers(stage.dsn)
        stage.outcome.account += offers
        stage.outcome.repeats = repeats
        stage.outcome.notes.append(f"{offers.stored} offers among the counts; locks held for {_HELD_S} s")
        return stage.outcome


def _add_households(dsn: str, numbers: range) -> None:
    with connect(dsn) as conn:
        for number in numbers:
            add_household(conn, number)


def migrate_later(dsn: str, number: int) -> None:
    """What `millpond migrate` does, with more files than are shipped: all up to `number`."""
    shipped, more = migrations.load_migrations, [_migration(n) for n in range(number + 1)]
    with patch.object(migrations, "load_migrations", lambda **server: shipped(**server) + more), connect(dsn) as conn:
        migrations.migrate(conn, at=SystemClock().now())


def _migration(number: int) -> migrations.Migration:
    name = f"9{number:03d}_proof.sql"
    return migrations.Migration(name, _SQL.replace("proof_", f"proof_{number}_"), checksum=name)
