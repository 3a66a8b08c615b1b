"""Other devices that mean no good, beside a fleet that does."""

from functools import partial

from millpond.kernel.clock import monotonic
from millpond.kernel.waiting import wait_until
from proof.hostile import Hostile
from proof.outcome import Outcome, Size
from proof.stage import Plan, staged
from proof.world import World


def bear_hostile_neighbours(world: World, size: Size, seed: int) -> Outcome:
    """Devices that send what hurts most, and try to be ingest, while a broker without a memory is killed.

    What the others sent meanwhile has holes, which must be asked for however many the hostile ones have.
    """
    kills = size.times(2, 40)
    with staged(world, "neighbours", size, seed, Plan(broker={"persistence": "false"})) as stage:
        with Hostile(stage.broker.url, stage.consumer, seed) as hostile:
            for _ in range(kills):
                following = hostile.rounds + 1
                wait_until(partial(hostile.has_done, following), "a round of hostile acts", timeout_s=120)
                stage.broker.kill()
                stage.broker.start()
                stage.until_recovered(monotonic(), most=30)
            hostile.close()
            stage.settle()
            stage.outcome.repeats = kills
            stage.outcome.notes.append(f"{hostile.done.total()} hostile acts")
        return stage.outcome
