"""What is shown of segments: for a person and for a machine."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from segments.nouns import Segment, Size


def tell_segment(segment: "Segment") -> dict[str, Any]:
    """What `--json` prints of one."""
    return {
        "segment_id": segment.segment_id,
        "title": segment.title["en"],
        "built_in": segment.built_in,
        "condition": segment.condition,
        "needs": list(segment.needs),
        "members": segment.members,
    }


def show_segments(segments: "Sequence[Segment]") -> None:
    """All of them as a table."""
    table = Table(title="segments", title_justify="left")
    for name in ("name", "title", "members", "needs"):
        table.add_column(name, justify="right" if name == "members" else "left")
    for each in segments:
        members = "–" if each.members is None else f"{each.members:,}"
        table.add_row(each.segment_id, each.title["en"], members, ", ".join(each.needs))
    Console().print(table)


def show_segment(segment: "Segment", sizes: "Sequence[Size]") -> None:
    """One of them, with how many members it had at its newest counts."""
    typer.echo(f"{segment.segment_id}: {segment.title['en']}{' (ships with Millpond)' if segment.built_in else ''}")
    typer.echo(f"needs: {', '.join(segment.needs) or 'no purpose'}")
    typer.echo(json.dumps(segment.condition, indent=2, ensure_ascii=False))
    for size in sizes[-10:]:
        typer.echo(f"{size.at.isoformat()}  {size.members:,} members")
