"""Which faults there are, and how often each strikes."""

from dataclasses import asdict, dataclass, fields
from typing import Annotated

from pydantic import ConfigDict, Field

from millpond.kernel.errors import InvalidInput

Rate = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True, slots=True)
class Faults:
    """Rates from 0 to 1.

    Share of messages:
    `duplicates`: sent twice. `reordering`: sent after the next one of the same device. `malformed`: half of it.
    `truncated`: cut somewhere. `corrupt`: bytes that are no JSON. `nan`: a reading is NaN. `oversized`: larger than
    the platform takes. Of the last five a bad copy goes out before the good message, so nothing is lost by them and the
    bad ones can be counted.

    Share of samples:
    `counter_backwards`: counters forget their last steps for one reading. `reseated`: a part is taken out and put
    back, and reads as new meanwhile.

    Share of devices:
    `offline`: without a connection for 2 to 10 hours a day; what was kept comes in one burst of backfill.
    `clock_1970`: the clock begins at 1970 with the device. `clock_2099`: it stands in 2099. `clock_drift`: it gains
    100 to 600 s a day. `clock_missing`: there is none, and the device says for how long it is on. `clock_summer_time`:
    it jumps an hour ahead at a third of the run, and back at two thirds.
    `boot_loops`: restarts after every one to six samples. `unit_change`: half-way a new firmware tells its first
    counter (else its percentage) in another unit. `counter_reset`: half-way all counters begin at zero for good.
    `chatty`: measures twenty times as often. `late_will`: the will of an earlier session overtakes each birth.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    duplicates: Rate = 0.0
    reordering: Rate = 0.0
    malformed: Rate = 0.0
    truncated: Rate = 0.0
    corrupt: Rate = 0.0
    nan: Rate = 0.0
    oversized: Rate = 0.0
    counter_backwards: Rate = 0.0
    reseated: Rate = 0.0
    offline: Rate = 0.0
    clock_1970: Rate = 0.0
    clock_2099: Rate = 0.0
    clock_drift: Rate = 0.0
    clock_missing: Rate = 0.0
    clock_summer_time: Rate = 0.0
    boot_loops: Rate = 0.0
    unit_change: Rate = 0.0
    counter_reset: Rate = 0.0
    chatty: Rate = 0.0
    late_will: Rate = 0.0

    def active(self) -> list[str]:
        """The names of the faults that can strike."""
        return [name for name, rate in asdict(self).items() if rate > 0]


def parse_faults(text: str) -> Faults:
    """Faults from `duplicates=0.01,malformed=0.001`; InvalidInput with one sentence when a name or rate is unknown."""
    known = [field.name for field in fields(Faults)]
    rates: dict[str, float] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, rate = part.partition("=")
        if name not in known:
            raise InvalidInput(f"fault {name!r} is not known: choose from {', '.join(known)}")
        rates[name] = _parse_rate(name, rate)
    return Faults(**rates)


def _parse_rate(name: str, text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = -1
    if not 0 <= rate <= 1:
        raise InvalidInput(f"fault {name} needs a rate from 0 to 1, as in {name}=0.01")
    return rate
