"""Processes that are killed: ingest, and the broker."""

import signal

from millpond.kernel.clock import monotonic
from proof.stage import Outcome, Size, World, staged
from proof.wait import pause


def kill_ingest(world: World, size: Size, seed: int) -> Outcome:
    """SIGKILL ingest again and again, at whatever it is doing."""
    repeats = size.times(10, 200)
    with staged(world, "ingest", size, seed) as stage:
        for _ in range(repeats):
            stage.ingest.kill()
            since = monotonic()
            stage.ingest.start()
            stage.until_recovered(since)
        stage.ingest.kill()
        since = monotonic()
        stage.outcome.turned("red", stage.watch.until_ready(False, 20, since))
        stage.ingest.start()
        stage.outcome.turned("green", stage.watch.until_ready(True, 20, monotonic()))
        stage.settle()
        stage.outcome.repeats = repeats + 1
        return stage.outcome


def kill_broker(world: World, size: Size, seed: int) -> Outcome:
    """SIGKILL a broker that keeps its sessions and queues on disk, as far as it had saved them."""
    return _kill_broker(world, size, seed, "broker", persistence=True)


def kill_forgetful_broker(world: World, size: Size, seed: int) -> Outcome:
    """SIGKILL a broker that keeps nothing: every session, queue and PUBACKed message is gone."""
    return _kill_broker(world, size, seed, "forgetful", persistence=False)


def _kill_broker(world: World, size: Size, seed: int, name: str, *, persistence: bool) -> Outcome:
    repeats = size.times(5, 100)
    with staged(world, name, size, seed, persistence=persistence) as stage:
        for number in range(repeats):
            stage.broker.kill()
            since = monotonic()
            if number == 0:
                stage.outcome.turned("red", stage.watch.until_ready(False, 20, since))
            stage.broker.start()
            since = monotonic()
            stage.until_recovered(since)
            if number == 0:
                stage.outcome.turned("green", stage.watch.until_ready(True, 20, since))
        stage.settle()
        stage.outcome.repeats = repeats
        return stage.outcome


def overflow_broker(world: World, size: Size, seed: int) -> Outcome:
    """Stop ingest in its tracks until the broker's queue is full and the broker drops messages without a word."""
    repeats = size.times(1, 5)
    with staged(world, "overflow", size, seed, max_queued=500, window=400) as stage:
        for _ in range(repeats):
            stage.ingest.signal(signal.SIGSTOP)
            pause(5)
            stage.ingest.signal(signal.SIGCONT)
            stage.until_recovered(monotonic(), most=30)
        stage.settle()
        stage.outcome.repeats = repeats
        dropped = stage.broker.dropped()
        stage.outcome.notes.append(f"the broker dropped {dropped:,} messages")
        if not dropped:
            stage.outcome.complaints.append("the broker dropped nothing, so nothing was shown")
        return stage.outcome
