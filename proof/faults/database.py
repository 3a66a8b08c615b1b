"""A database that stops, is away, is slow, is locked, or has no room left."""

import psycopg

from millpond.embedded.postgres import Ending
from millpond.kernel.clock import monotonic
from millpond.kernel.waiting import pause
from proof.outcome import Outcome, Size
from proof.proxy import Link
from proof.stage import Plan, Stage, staged
from proof.world import World, running_postgres

_AWAY_S = 60
_LOCKED_S = 30


def stop_postgres(world: World, size: Size, seed: int) -> Outcome:
    """Stop PostgreSQL, fast and immediately by turns, and once leave it away for a while."""
    repeats = size.times(5, 60)
    folder = world.folder / "own-postgres"
    folder.mkdir()
    # A server of its own: others run beside this fault.
    with (
        running_postgres(folder, world.programs) as own,
        staged(world, "postgres", size, seed, Plan(own, fleet={"hub_rate": 50})) as stage,
    ):
        for number in range(repeats):
            _stop_and_start(stage, "immediate" if number % 2 else "fast", 1)
        for number in range(size.times(1, 5)):
            _stop_and_start(stage, "immediate" if number % 2 else "fast", _AWAY_S)
        stage.settle()
        stage.outcome.repeats = repeats + size.times(1, 5)
        stage.outcome.notes.append(f"away for {_AWAY_S} s")
        return stage.outcome


def _stop_and_start(stage: Stage, how: Ending, away_s: float) -> None:
    stopped = monotonic()
    stage.postgres.stop(how)
    stage.outcome.turned("red", stage.watch.until_ready(False, 20, stopped))
    stage.world.pause(away_s - (monotonic() - stopped))
    stage.postgres.start()
    since = monotonic()
    stage.outcome.turned("green", stage.watch.until_ready(True, 20, since))
    stage.until_recovered(since)


def slow_database(world: World, size: Size, seed: int) -> Outcome:
    """Every statement of ingest takes 200 ms more."""
    with staged(world, "slow", size, seed, Plan(proxied="database")) as stage:
        assert stage.proxy is not None
        stage.proxy.set(Link.SLOW)
        pause(2)
        before, began = stage.fleet.status["acked"], monotonic()
        pause(size.times(6, 600))
        rate = (stage.fleet.status["acked"] - before) / (monotonic() - began)
        stage.outcome.notes.append(f"{rate:.0f} samples/s while slow")
        stage.proxy.set(Link.CLEAR)
        stage.until_recovered(monotonic())
        stage.settle()
        stage.outcome.repeats = 1
        return stage.outcome


def locked_table(world: World, size: Size, seed: int) -> Outcome:
    """Somebody locks the table of readings; nothing can be stored meanwhile."""
    with staged(world, "locked", size, seed) as stage:
        for _ in range(size.times(1, 20)):
            with psycopg.connect(stage.dsn) as locker:
                locker.execute("lock table reading in access exclusive mode")
                since = monotonic()
                stage.outcome.turned("red", stage.watch.until_ready(False, 20, since))
                stage.world.pause(_LOCKED_S - (monotonic() - since))
            since = monotonic()
            stage.outcome.turned("green", stage.watch.until_ready(True, 20, since))
            stage.until_recovered(since)
        stage.settle()
        stage.outcome.repeats = size.times(1, 20)
        stage.outcome.notes.append(f"locked for {_LOCKED_S} s")
        return stage.outcome
