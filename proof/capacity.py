"""How much this machine can do with everything on it: a proof on its knees would only show that it is slow."""

import signal

from millpond.kernel.clock import monotonic
from millpond.kernel.waiting import pause
from proof.outcome import Size
from proof.stage import staged
from proof.world import World

RATE = 1000.0
# What a recovery needs: the backlog, what comes meanwhile, and what devices send twice.
_HEADROOM = 2.5
_BACKLOG_S, _LOOK_S = 3, 5


def measure_capacity(world: World, devices: int, seed: int) -> float:
    """Samples a second that ingest stores, one a message, while it works off a backlog beside the fleet."""
    best = 0.0
    with staged(world, "capacity", Size(devices, RATE), seed) as stage:
        stage.ingest.signal(signal.SIGSTOP)
        pause(_BACKLOG_S)
        stage.ingest.signal(signal.SIGCONT)
        end = monotonic() + _LOOK_S
        while monotonic() < end:
            best = max(best, stage.watch.rate())
            pause(0.1)
    return best


def rate_for(capacity: float, lanes: int = 1) -> float:
    """The rate to run at: 1,000 samples a second, or less where `lanes` could not recover at that rate at once."""
    return min(RATE, max(50.0, capacity / lanes / _HEADROOM // 50 * 50))
