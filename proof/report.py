"""What a run says: a line a fault, and a table at the end."""

from dataclasses import asdict
from typing import Any

from rich.table import Table

from proof.outcome import Outcome

_RSS_MAX_MB = 400.0
_COUNTS = ("sent", "stored", "quarantined", "lost", "duplicated", "phantom", "corrupt", "miscounted")
_TIMES = ("recovery_s", "red_s", "green_s")
_COLUMNS = ("fault", "times", "rate/s", *_COUNTS, "unacked", "recovery s", "red s", "green s", "RSS MB", "took s")


def judge(name: str, outcome: Outcome, seed: int, seconds: float, *, forgive_time: bool = False) -> dict[str, Any]:
    """The line of a fault, with all that is wrong with it as sentences; times may be forgiven, counts never."""
    (outcome.notes if forgive_time else outcome.complaints).extend(outcome.slow)
    complaints = outcome.complaints + [f"{count:,} {what}" for what, count in outcome.account.faults.items()]
    if outcome.unacked:
        complaints.append(f"{outcome.unacked:,} samples were never acknowledged")
    if outcome.rss_mb > _RSS_MAX_MB:
        complaints.append(f"ingest took {outcome.rss_mb:.0f} MB, {_RSS_MAX_MB:.0f} are allowed")
    line = {"fault": name, "seed": seed, "ok": not complaints, "seconds": round(seconds, 1)}
    return line | _rounded(asdict(outcome)) | {"complaints": complaints}


def describe(line: dict[str, Any]) -> str:
    """A line of `judge` as a sentence for a person, in rich's markup."""
    if line["skipped"]:
        verdict = f"[yellow]not run: {line['skipped']}[/]"
    elif line["ok"]:
        verdict = "; ".join(["[green]nothing lost, nothing twice[/]", *line["notes"]])
    else:
        verdict = f"[red]{'; '.join(line['complaints'])}[/]"
    return f"{line['fault']} ({line['seconds']:.0f} s): {verdict}"


def build_table(lines: list[dict[str, Any]], seed: int, long: bool) -> Table:
    """All lines in one table."""
    table = Table(title=f"seed {seed}, {'long' if long else 'short'} form; counts are values, two a sample")
    for column in _COLUMNS:
        table.add_column(column, justify="left" if column == "fault" else "right", no_wrap=True)
    for line in lines:
        table.add_row(*_cells(line), style=None if line["ok"] else "red")
    return table


def _cells(line: dict[str, Any]) -> list[str]:
    counts = [f"{line['account'][name]:,}" for name in _COUNTS]
    times = ["–" if line[name] is None else f"{line[name]:.1f}" for name in _TIMES]
    first = [line["fault"], str(line["repeats"]), f"{line['rate']:.0f}", *counts, str(line["unacked"])]
    return [*first, *times, f"{line['rss_mb']:.0f}", f"{line['seconds']:.0f}"]


def _rounded(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: round(value, 2) if isinstance(value, float) else value for key, value in fields.items()}
