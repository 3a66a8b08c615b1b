"""Three schedulers, of which the one at work is stopped, loses its connection, or is killed in the middle of a job."""

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import psycopg

from millpond.kernel.clock import monotonic
from millpond.kernel.db import connect
from millpond.kernel.errors import Unavailable
from millpond.kernel.waiting import wait_until
from proof.household import add_household, count_offers
from proof.oracle import Account
from proof.outcome import Outcome, Size
from proof.service import Service
from proof.world import World, new_database, running_postgres

# The period is long beside the lease, as it is in life.
_PERIOD_S, _LEASE_S, _TICK_S = 10.0, 1.0, 0.2
# Who finished what, seen by the database itself: the table of runs can only say it once.
_WITNESS = """
create table witness (job text, scheduled_for timestamptz, holder text, epoch integer);
create function note_who_finished() returns trigger language plpgsql as $$ begin
    insert into witness values (new.job, new.scheduled_for, new.holder, new.epoch); return new; end $$;
create trigger note_who_finished after update on job_run for each row
    when (new.state = 'done' and old.state is distinct from 'done') execute function note_who_finished();
"""
_BLOCKED = "select pid from pg_stat_activity where %s = any(pg_blocking_pids(pid))"
_AT_WORK = """
select holder, scheduled_for, epoch from job_run where job = 'offers' and state = 'running'
order by scheduled_for desc limit 1
"""
_DONE = "select count(*) from witness where job = 'offers' and scheduled_for = %s and epoch > %s"
_TWICE = "select count(*) from (select 1 from witness group by job, scheduled_for having count(*) > 1) as twice"


@dataclass(frozen=True, slots=True)
class AtWork:
    """Who is in the middle of a period."""

    pid: int
    backend: int
    scheduled_for: object
    epoch: int


Kind = Callable[[str, Service, AtWork], None]


def break_schedulers(world: World, size: Size, seed: int) -> Outcome:
    """Of three schedulers the one at work is stopped, cut off or killed: the period is taken over, never done twice."""
    outcome, repeats = Outcome(), size.times(10, 200)
    kinds = (_stop, _terminate, _kill)
    folder = world.folder / "schedulers"
    folder.mkdir()
    # A server of its own: this fault runs beside others that stop theirs.
    with running_postgres(folder, world.programs) as postgres, ExitStack() as stack:
        dsn = new_database(postgres, "proof_schedulers")
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute(_WITNESS)
        crew = [Service("schedule", _settings(dsn), folder / f"schedule-{n}.log") for n in range(3)]
        for scheduler in crew:
            scheduler.start()
            stack.callback(scheduler.stop)
        for number in range(repeats):
            if world.interrupted.is_set():
                break
            outcome.recovered(_strike(dsn, crew, kinds[(seed + number) % 3], number, outcome), most=_PERIOD_S)
        _await_offers(dsn)
        outcome.account = count_offers(dsn) + Account(duplicated=_count_twice(dsn))
    outcome.repeats = repeats
    outcome.notes.append(f"counts are households and their offers; lease {_LEASE_S:g} s, period {_PERIOD_S:g} s")
    return outcome


def _settings(dsn: str) -> dict[str, str]:
    return {
        "MILLPOND_DATABASE_URL": dsn,
        "MILLPOND_OFFERS_PERIOD_H": str(_PERIOD_S / 3600),
        "MILLPOND_LEASE_S": str(_LEASE_S),
        "MILLPOND_TICK_S": str(_TICK_S),
    }


def _strike(dsn: str, crew: list[Service], kind: Kind, number: int, outcome: Outcome) -> float:
    """Strike the one at work; returns how long it took until another one had done its period."""
    with _someone_at_work(dsn, number) as work:
        victim = next(scheduler for scheduler in crew if scheduler.pid == work.pid)
        kind(dsn, victim, work)
    since = monotonic()
    try:
        wait_until(lambda: _is_done(dsn, work), "the period to be taken over", timeout_s=_PERIOD_S)
    except Unavailable as error:
        outcome.complaints.append(f"{kind.__name__[1:]}: {error}")
    victim.signal(signal.SIGCONT)
    if not victim.alive:
        victim.start()
    return monotonic() - since


@contextmanager
def _someone_at_work(dsn: str, number: int) -> Iterator[AtWork]:
    """A scheduler that is deciding an offer and cannot go on: its customer is locked as long as the context lasts."""
    with connect(dsn) as conn, psycopg.connect(dsn) as locker:
        with conn.transaction():
            customer_id = add_household(conn, number)
            locker_pid = locker.info.backend_pid
        locker.execute("select 1 from customer where customer_id = %s for update", [customer_id])
        wait_until(lambda: conn.execute(_BLOCKED, [locker_pid]).fetchone(), "a scheduler to be at work", timeout_s=30)
        backend = conn.execute(_BLOCKED, [locker_pid]).fetchone()
        row = conn.execute(_AT_WORK).fetchone()
        if row is None or backend is None:
            raise Unavailable("a scheduler was at work, and then was not")
        yield AtWork(int(row[0].split(":")[1]), backend[0], row[1], row[2])


def _stop(_dsn: str, victim: Service, _work: AtWork) -> None:
    victim.signal(signal.SIGSTOP)


def _kill(_dsn: str, victim: Service, _work: AtWork) -> None:
    victim.kill()


def _terminate(dsn: str, _victim: Service, work: AtWork) -> None:
    with psycopg.connect(dsn) as admin:
        admin.execute("select pg_terminate_backend(%s)", [work.backend])


def _is_done(dsn: str, work: AtWork) -> bool:
    with psycopg.connect(dsn) as conn:
        return conn.execute(_DONE, [work.scheduled_for, work.epoch]).fetchone() == (1,)


def _await_offers(dsn: str) -> None:
    """The last household's offers may be the next period's work."""
    try:
        wait_until(lambda: not count_offers(dsn).lost, "every household's offer", timeout_s=2 * _PERIOD_S)
    except Unavailable:
        return


def _count_twice(dsn: str) -> int:
    with psycopg.connect(dsn) as conn:
        row = conn.execute(_TWICE).fetchone()
    return int(row[0]) if row else 0
