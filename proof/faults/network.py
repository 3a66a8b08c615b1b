"""The link between ingest and its neighbours: reset, black hole, one kilobyte a second."""

from millpond.kernel.clock import monotonic
from proof.outcome import Outcome, Size
from proof.proxy import Link
from proof.stage import Plan, Stage, staged
from proof.world import World

_LINKS = (Link.REFUSE, Link.BLACK_HOLE, Link.TRICKLE)


def break_broker_link(world: World, size: Size, seed: int) -> Outcome:
    """The way from ingest to the broker is reset, swallows everything, or crawls."""
    with staged(world, "mqtt-link", size, seed, Plan(proxied="broker")) as stage:
        return _break(stage, size)


def break_database_link(world: World, size: Size, seed: int) -> Outcome:
    """The way from ingest to the database is reset, swallows everything, or crawls."""
    with staged(world, "sql-link", size, seed, Plan(proxied="database", fleet={"hub_rate": 50})) as stage:
        return _break(stage, size)


def _break(stage: Stage, size: Size) -> Outcome:
    assert stage.proxy is not None
    rounds, seconds = size.times(1, 10), 10
    for _ in range(rounds):
        for link in _LINKS:
            stage.proxy.set(link)
            since = monotonic()
            if link is not Link.TRICKLE:
                stage.outcome.turned("red", stage.watch.until_ready(False, 20, since))
            stage.world.pause(seconds - (monotonic() - since))
            stage.proxy.set(Link.CLEAR)
            since = monotonic()
            stage.outcome.turned("green", stage.watch.until_ready(True, 30, since))
            stage.until_recovered(since)
    stage.settle()
    stage.outcome.repeats = rounds * len(_LINKS)
    stage.outcome.notes.append(f"{seconds} s each")
    return stage.outcome
