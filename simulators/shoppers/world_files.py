"""A simulated town as files: what each source sends, what the tills write down, and the truth."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from simulators.shoppers.acts import Act
from simulators.shoppers.calls import tell
from simulators.shoppers.scenario import Population
from simulators.shoppers.till import is_at_till, write_till
from simulators.shoppers.truth import describe_act, describe_shopper


@dataclass(frozen=True, slots=True)
class Written:
    """How many lines each file got."""

    lines: dict[str, int]


def write_world(
    population: Population,
    folder: Path,
    *,
    stores: dict[str, str] | None = None,
    on_progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Written:
    """Write `events-SOURCE.ndjson`, `till-STORE-DAY.csv` and `truth.ndjson` into a folder; the same again, to the byte.

    Lines are in the order of their time, so all of a town is in memory: about 1 kB an act.
    """
    folder.mkdir(parents=True, exist_ok=True)
    acts = sorted(_live(population, on_progress), key=lambda act: (act.at, act.act_id))
    lines = _write_events(acts, folder) + _write_tills(acts, folder, stores or {})
    lines["truth.ndjson"] = _write_truth(population, acts, folder)
    return Written(dict(sorted(lines.items())))


def _live(population: Population, on_progress: Callable[[int, int], None]) -> Iterable[Act]:
    for done, shopper in enumerate(population.shoppers, start=1):
        yield from population.days_of(shopper)
        on_progress(done, len(population.shoppers))


def _write_events(acts: Iterable[Act], folder: Path) -> Counter[str]:
    texts: dict[str, list[str]] = {}
    for act in acts:
        for source, call in tell(act):
            texts.setdefault(f"events-{source}.ndjson", []).append(json.dumps(call, ensure_ascii=False))
    for name, each in texts.items():
        (folder / name).write_text("".join(f"{line}\n" for line in each), encoding="utf-8")
    return Counter({name: len(each) for name, each in texts.items()})


def _write_tills(acts: Iterable[Act], folder: Path, stores: dict[str, str]) -> Counter[str]:
    days: dict[tuple[str, date], list[Act]] = {}
    for act in filter(is_at_till, acts):
        day = act.at.astimezone(ZoneInfo(act.shopper.time_zone)).date()
        days.setdefault((act.store or "", day), []).append(act)
    lines = Counter[str]()
    for (store, day), each in days.items():
        name = f"till-{store}-{day}.csv"
        with (folder / name).open("w", encoding="utf-8", newline="") as out:
            lines[name] = write_till(out, each, stores)
    return lines


def _write_truth(population: Population, acts: Iterable[Act], folder: Path) -> int:
    told = [describe_shopper(shopper) for shopper in population.shoppers]
    told += [each for act in acts for each in describe_act(act)]
    text = "".join(f"{json.dumps(each, ensure_ascii=False)}\n" for each in told)
    (folder / "truth.ndjson").write_text(text, encoding="utf-8")
    return len(told)
