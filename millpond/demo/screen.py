"""What the demo shows: stages on stderr; the summary and where to sign in on stdout."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from api.auth import Role
from attribution.nouns import Staff
from customers.nouns import Customer
from millpond.demo.loop import Summary
from millpond.kernel.clock import monotonic
from millpond.kernel.money import Money
from simulators.runs.summary import Progress as FleetProgress

_WORDS = {
    "devices": "devices in the simulated fleet",
    "messages_published": "MQTT messages published",
    "readings_stored": "readings stored, each once",
    "readings_quarantined": "readings quarantined",
    "installations": "installations, replacements included",
    "forecasts": "depletion forecasts",
    "offers_issued": "offers issued",
    "offers_credited": "offers credited to a staff member",
    "events": "events of people, in app, web, shop and messenger",
    "orders": "orders",
}


class Screen:
    """Progress and results for a person; `quiet` shows nothing but the JSON and complaints."""

    def __init__(self, *, quiet: bool) -> None:
        self._console = Console(stderr=True, quiet=quiet)
        self._results = Console(quiet=quiet)
        self._complaints = Console(stderr=True)
        self._fleet_bar: Progress | None = None

    def say(self, text: str) -> None:
        """One line."""
        self._console.print(f"  {text}")

    def complain(self, text: str) -> None:
        """One line that is shown in any case."""
        self._complaints.print(f"millpond: {text}", highlight=False)

    @contextmanager
    def stage(self, what: str) -> Iterator[None]:
        """A spinner while it lasts, and a line with the time it took."""
        began = monotonic()
        with self._console.status(f"{what} …"):
            yield
        self._console.print(f"[green]✓[/green] {what} [dim]{monotonic() - began:.1f} s[/dim]")

    @contextmanager
    def fleet_stage(self, what: str, devices: int) -> Iterator[None]:
        """A bar of samples sent and acknowledged while it lasts."""
        began = monotonic()
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("samples safe"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self._console, transient=True) as bar:
            bar.add_task(f"{what} ({devices} devices)", total=None)
            self._fleet_bar = bar
            try:
                yield
            finally:
                self._fleet_bar = None
        self._console.print(f"[green]✓[/green] {what} [dim]{monotonic() - began:.1f} s[/dim]")

    def fleet_moved(self, progress: FleetProgress) -> None:
        """Move the bar: of the samples measured so far, how many the platform has acknowledged."""
        if self._fleet_bar is not None:
            self._fleet_bar.update(self._fleet_bar.task_ids[0], total=progress.samples, completed=progress.acked)

    def show_summary(self, summary: Summary) -> None:
        """What came of every stage."""
        values = summary.as_dict()
        table = Table(show_header=False, box=None, padding=(0, 2))
        for name, words in _WORDS.items():
            table.add_row(f"{values[name]:,}", words)
        earned = Money(values["commission_minor"], values["currency"] or "")
        commission = f"{earned.to_decimal():,f} {earned.currency}"
        table.add_row(commission, "commission earned by staff")
        table.add_row(str(values["ledger_balance_minor"]), "left over in the ledger (it balances at 0)")
        self._results.print(Panel(table, title=f"The loop closed in {summary.seconds:.0f} s", expand=False))

    def print_json(self, summary: Summary) -> None:
        """The summary on stdout, one object."""
        Console().print_json(json.dumps(summary.as_dict()), indent=None, highlight=False)

    def show_logins(
        self, address: str, customer: Customer, member: Staff, mint: Callable[[Role, str], str], speed: float
    ) -> None:
        """Where to look, and three links that ask whether to sign in."""
        people = (
            (f"customer {customer.name}", Role.CUSTOMER, customer.customer_id),
            (f"staff member {member.name}", Role.STAFF, member.staff_id),
            ("operator", Role.OPERATOR, "demo"),
        )
        self._results.rule(f"[bold]{address}[/bold]")
        for words, role, subject in people:
            self._results.print(f"[bold]{words}[/bold]")
            self._results.print(f"{address}/sign-in?token={mint(role, subject)}", soft_wrap=True, highlight=False)
        hours = speed / 3600
        self._results.print(f"One second is {hours * 60:.0f} minutes here. Ctrl-C ends it.", style="dim")
