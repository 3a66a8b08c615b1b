"""One process of the platform, as an operator would run it: `python -m millpond COMMAND` with MILLPOND_* settings."""

import os
import signal
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parent.parent


class Service:
    """A service that can be started, stopped, killed and stopped in its tracks. Its log goes to a file."""

    def __init__(self, command: str, settings: dict[str, str], log: Path) -> None:
        self._command, self._settings, self._log = command, settings, log
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process's number, 0 when there is none."""
        return self._child.pid if self._child is not None and self.alive else 0

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._child is not None and self._child.poll() is None

    @property
    def ended_by(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        return self._child.poll() if self._child is not None else None

    def start(self, **more: str) -> None:
        """Start the process, with further settings for this life of it."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith("MILLPOND_")}
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "millpond", self._command],
                cwd=_ROOT,
                stdout=log,
                stderr=log,
                env={**clean, **self._settings, **more},
                start_new_session=True,
            )

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        if self._child is not None and self.alive:
            self._child.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        self.wait(10)

    def stop(self) -> None:
        """SIGTERM, and SIGKILL when that does not help."""
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            self.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()

    def wait(self, seconds: float) -> None:
        """Wait for its end."""
        if self._child is not None:
            self._child.wait(seconds)

    def rss_mb(self) -> float:
        """Resident memory in MB now; 0 when it does not run."""
        try:
            pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        except (OSError, IndexError):
            return 0.0
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def log_text(self) -> str:
        """What it has said so far."""
        return self._log.read_text(errors="replace")
