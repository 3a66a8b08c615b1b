"""No room left on the database's device: a small tmpfs, filled to the brim and freed again."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from millpond.kernel.clock import monotonic
from millpond.kernel.errors import Unavailable
from millpond.kernel.waiting import pause
from proof.outcome import Outcome, Size
from proof.stage import Plan, Stage, staged
from proof.world import World, running_postgres

_SIZE_MB = 160


def fill_disk(world: World, size: Size, seed: int) -> Outcome:
    """The database's disk is full, and later is not; an operator starts PostgreSQL again if it gave up."""
    if os.geteuid() != 0:
        return Outcome(skipped="a small tmpfs can be mounted by root only")
    with _small_disk(world.folder / "small-disk") as disk, running_postgres(disk, world.programs) as postgres:
        with staged(world, "disk", size, seed, Plan(postgres)) as stage:
            for _ in range(size.times(1, 10)):
                _fill_and_free(stage, disk)
            stage.settle()
            stage.outcome.repeats = size.times(1, 10)
            return stage.outcome


def _fill_and_free(stage: Stage, disk: Path) -> None:
    ballast = _fill(disk)
    stage.outcome.turned("red", stage.watch.until_ready(False, 60, monotonic()), most=60)
    pause(5)
    ballast.unlink()
    since = monotonic()
    gave_up = not stage.postgres.alive
    stage.postgres.start()
    stage.outcome.turned("green", stage.watch.until_ready(True, 30, since))
    stage.until_recovered(since)
    stage.outcome.notes.append("PostgreSQL had given up" if gave_up else "PostgreSQL had stayed up")


def _fill(disk: Path) -> Path:
    """Take all the room there is."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(65_536))
        except OSError:
            return ballast


@contextmanager
def _small_disk(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE_MB}m", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unavailable(f"the small disk could not be mounted: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)
