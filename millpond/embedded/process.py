"""A program of ours in a process of its own, which may be ended in any way and started again."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGTERM, Signals
from types import TracebackType
from typing import Self

import psutil

_LAST_WORDS = 300


class Process:
    """Started, signalled and ended as often as its owner likes, and at the end of `with`. What it says goes to `log`.

    It has a session of its own, so that Ctrl-C reaches its owner alone. `user` is who it runs as, when that is not us;
    `environment` is ours unless another is given.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        log: Path,
        *,
        environment: Mapping[str, str] | None = None,
        user: str | None = None,
        folder: Path | None = None,
    ) -> None:
        self._command, self._log, self._user, self._folder = [str(word) for word in command], log, user, folder
        self._environment = os.environ if environment is None else environment
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._child is not None and self._child.poll() is None

    @property
    def pid(self) -> int:
        """The process's number, 0 when it does not run."""
        return self._child.pid if self._child is not None and self.alive else 0

    @property
    def exit_code(self) -> int | None:
        """How it ended, negative for a signal; None while it runs, and before its first start."""
        return self._child.poll() if self._child is not None else None

    def start(self, **more: str) -> None:
        """Start it, with further environment variables for this life of it; nothing to do when it runs."""
        if self.alive:
            return
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(
                self._command,
                stdout=log,
                stderr=log,
                env={**self._environment, **more},
                user=self._user,
                cwd=self._folder,
                start_new_session=True,
            )

    def signal(self, number: Signals) -> None:
        """Send it a signal; nobody gets it when it does not run."""
        if self._child is not None and self.alive:
            self._child.send_signal(number)

    def wait(self, seconds: float) -> None:
        """Wait for its end; subprocess.TimeoutExpired when it does not come."""
        if self._child is not None:
            self._child.wait(seconds)

    def stop(self, by: Signals = SIGTERM, *, patience_s: float = 10) -> None:
        """End it politely, also when it was stopped in its tracks; when that takes too long, for good."""
        self.signal(SIGCONT)
        self.signal(by)
        try:
            self.wait(patience_s)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """SIGKILL: it saves nothing. Returns when it is gone."""
        self.signal(SIGKILL)
        self.wait(10)

    def listens(self, port: int) -> bool:
        """Whether it listens on `port`, and not somebody else."""
        return self._child is not None and listens(self._child, port)

    def log_text(self) -> str:
        """Everything it has said so far."""
        return self._log.read_text(errors="replace")

    def last_words(self) -> str:
        """The end of what it has said, in one line."""
        return " ".join(self.log_text().split())[-_LAST_WORDS:]


def listens(process: "subprocess.Popen[bytes]", port: int) -> bool:
    """Whether this very process listens on `port`: that somebody answers there does not say who."""
    try:
        sockets = psutil.Process(process.pid).net_connections("tcp")
    except psutil.Error:  # It ended at this moment.
        return False
    return any(each.status == psutil.CONN_LISTEN and each.laddr.port == port for each in sockets)
