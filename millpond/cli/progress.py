"""A progress bar for commands that count."""

from rich.console import Console
from rich.progress import Progress


class CountedProgress:
    """A rich progress bar on stderr, when that is a terminal; calling it with (done, of) moves it."""

    def __init__(self, what: str) -> None:
        console = Console(stderr=True)
        self._bar = Progress(console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bar.add_task(what, total=None)

    def __enter__(self) -> "CountedProgress":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def __call__(self, done: int, of: int) -> None:
        self._bar.update(self._task, completed=done, total=of)
