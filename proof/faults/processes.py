"""Processes that are killed: ingest, and the broker."""

import signal

from millpond.kernel.broker import parse_broker_url
from millpond.kernel.clock import monotonic
from millpond.kernel.ids import new_id
from millpond.kernel.waiting import pause, wait_until
from proof.outcome import Outcome, Size
from proof.stage import Plan, staged
from proof.world import World
from simulators.wire.publisher import Publisher

_HUB = {"hub_rate": 50}


def kill_ingest(world: World, size: Size, seed: int) -> Outcome:
    """SIGKILL ingest again and again, at whatever it is doing."""
    repeats = size.times(10, 200)
    with staged(world, "ingest", size, seed, Plan(fleet=_HUB)) as stage:
        for number in range(repeats):
            stage.ingest.kill()
            if number % 3 == 2:
                # By chance it would hardly ever die there.
                stage.ingest.start(MILLPOND_CRASH_AT="after-commit-before-ack")
                stage.ingest.wait(20)
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


def kill_shards(world: World, size: Size, seed: int) -> Outcome:
    """SIGKILL two ingests that share the serials, each in turn, and both at once."""
    repeats = size.times(6, 60)
    with staged(world, "shards", size, seed, Plan(shards=2, fleet=_HUB)) as stage:
        for number in range(repeats):
            killed = stage.ingests if number % 3 == 2 else [stage.ingests[number % 3]]
            for ingest in killed:
                ingest.kill()
            since = monotonic()
            if number < 2:
                # The other one stores its share; whoever asks is told all the same.
                stage.outcome.turned("red", stage.watch.until_ready(False, 20, since))
                since = monotonic()
            for ingest in killed:
                ingest.start()
            stage.until_recovered(since)
        stage.settle()
        stage.outcome.repeats = repeats
        return stage.outcome


def kill_broker(world: World, size: Size, seed: int) -> Outcome:
    """SIGKILL a broker that keeps its sessions and queues on disk, as far as it had saved them."""
    return _kill_broker(world, size, seed, "broker", persistence=True)


def kill_forgetful_broker(world: World, size: Size, seed: int) -> Outcome:
    """SIGKILL a broker that keeps nothing: every session, queue and PUBACKed message is gone."""
    return _kill_broker(world, size, seed, "forgetful", persistence=False)


def _kill_broker(world: World, size: Size, seed: int, name: str, *, persistence: bool) -> Outcome:
    repeats = size.times(5, 100)
    # A hub has no outbox: what a broker forgets that was never delivered is gone.
    plan = Plan(broker={"persistence": str(persistence).lower()}, fleet=_HUB if persistence else {})
    with staged(world, name, size, seed, plan) as stage:
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
    with staged(
        world, "overflow", size, seed, Plan(broker={"max_queued_messages": 500}, fleet={"window": 400})
    ) as stage:
        for _ in range(repeats):
            stage.ingest.signal(signal.SIGSTOP)
            pause(5)
            stage.ingest.signal(signal.SIGCONT)
            stage.until_recovered(monotonic(), most=30)
        stage.settle()
        stage.outcome.repeats = repeats
        dropped = _count_dropped(stage.broker.url)
        stage.outcome.notes.append(f"the broker dropped {dropped:,} messages")
        if not dropped:
            stage.outcome.complaints.append("the broker dropped nothing, so nothing was shown")
        return stage.outcome


def _count_dropped(broker_url: str) -> int:
    """How many messages the broker says it has dropped, asked of its own counters."""
    topic = "$SYS/broker/publish/messages/dropped"
    listener, answers = Publisher(parse_broker_url(broker_url), new_id("proof"), subscriptions=[topic]), list[int]()

    def answered() -> bool:
        answers.extend(int(payload) for _, payload in listener.received())
        return bool(answers)

    listener.connect()
    try:
        wait_until(answered, f"the broker to say {topic}", timeout_s=10)
    finally:
        listener.close()
    return answers[-1]
