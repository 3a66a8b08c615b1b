"""What devices themselves get wrong: messages that are none, and clocks."""

from datetime import timedelta
from random import Random

from millpond.kernel.clock import SystemClock, monotonic
from millpond.kernel.waiting import pause, wait_until
from proof.outcome import Outcome, Size
from proof.stage import Plan, staged
from proof.world import World

_HOUR = 3_600_000
_YEAR = 8766 * _HOUR
# 1970 is added when the run begins. Summer time comes and goes as an hour, seen by devices that confuse it with UTC.
_JUMPS_MS = (0, _HOUR, 0, -_HOUR, 0, -2_000, -1_000, 90_000, 400_000, -_YEAR // 2, -2 * _YEAR, 73 * _YEAR)
_SERVER_JUMPS_MS = (0, 4 * 60_000, -4 * 60_000, _HOUR, -_HOUR, 2 * _YEAR)


def poison(world: World, size: Size, seed: int) -> Outcome:
    """One message in ten is no telemetry: each is kept in quarantine, once, and none holds up the others."""
    messages = size.times(10_000, 1_000_000)
    with staged(world, "poison", size, seed, Plan(fleet={"poison": 0.1})) as stage:
        enough = 4 * messages / stage.outcome.rate + 60
        wait_until(
            lambda: stage.fleet.status["measured"] + stage.fleet.status["poisoned"] >= messages,
            f"{messages:,} messages",
            timeout_s=enough,
        )
        stage.settle()
        stage.outcome.repeats = stage.fleet.status["poisoned"]
        return stage.outcome


def jump_clocks(world: World, size: Size, seed: int) -> Outcome:
    """Devices' clocks jump (1970, 2099, summer time, back by seconds), and the server's while ingest is dead."""
    jumps, chance = size.times(20, 500), Random(seed)
    now_ms = int(SystemClock().now().timestamp() * 1000)
    with staged(world, "clocks", size, seed, Plan(fleet={"quantum_ms": 100})) as stage:
        for number in range(jumps):
            stage.fleet.tell(f"clock {chance.choice((*_JUMPS_MS, -now_ms))}")
            pause(0.5)
            if number % 4 == 3:
                # Between commit and acknowledgement if it can be: what comes again meets another server's clock.
                stage.ingest.kill()
                offset_ms = _SERVER_JUMPS_MS[number // 4 % len(_SERVER_JUMPS_MS)]
                stage.ingest.start(MILLPOND_CLOCK=_clock(offset_ms))
                stage.until_recovered(monotonic())
        stage.settle(server_offsets_ms=_SERVER_JUMPS_MS)
        stage.outcome.repeats = jumps
        stage.outcome.notes.append(f"{jumps // 4} of them the server's")
        return stage.outcome


def _clock(offset_ms: int) -> str:
    """MILLPOND_CLOCK for a server whose clock is off by so much."""
    now = SystemClock().now()
    return f"{(now + timedelta(milliseconds=offset_ms)).isoformat()}@{now.isoformat()}*1"
