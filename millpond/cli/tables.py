"""Tables for people: a narrow terminal folds what is in them and cuts nothing, since people copy ids and codes."""

from datetime import UTC, datetime

from rich.table import Table


def make_table(*columns: str) -> Table:
    """A table of these columns."""
    table = Table()
    for name in columns:
        table.add_column(name, overflow="fold")
    return table


def short_time(at: datetime) -> str:
    """A time in UTC to the second, which folds between day and time."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"
