"""The fleet as the proof sees it: a process to start, to listen to, and to tell things."""

import json
import subprocess
import sys
import threading
from pathlib import Path

from millpond.kernel.errors import Unavailable
from millpond.kernel.waiting import wait_until

_ROOT = Path(__file__).parent.parent


class FleetProcess:
    """200 devices in a process of their own. `status` is what it said last."""

    def __init__(self, broker_url: str, journal: Path, prefix: str, seed: int, **options: float) -> None:
        self.journal, self.prefix = journal, prefix
        self.status: dict[str, int] = {}
        command = [sys.executable, "-m", "proof.fleet", "--broker", broker_url, "--prefix", prefix]
        command += ["--seed", str(seed), "--journal", str(journal)]
        command += [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]
        log = journal.with_suffix(".log")
        with log.open("ab") as stderr:
            self._child = subprocess.Popen(
                command,
                cwd=_ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                start_new_session=True,
            )
        self._log = log
        self._listener = threading.Thread(target=self._listen, name="fleet", daemon=True)
        self._listener.start()

    def tell(self, command: str) -> None:
        """Say `drain`, `clock MS` or `end`."""
        assert self._child.stdin is not None
        if self._child.poll() is not None:
            raise Unavailable(f"the fleet ended: {self._log.read_text(errors='replace')[-500:]}")
        self._child.stdin.write(command + "\n")
        self._child.stdin.flush()

    def drain(self, seconds: float) -> int:
        """Measure nothing more and wait until all is said to be safe; returns how many samples never were."""
        self.tell("drain")
        try:
            wait_until(lambda: self.status.get("drained"), "every sample to be acknowledged", timeout_s=seconds)
        except Unavailable:
            return max(1, self.status.get("held", 0))
        return 0

    def end(self) -> None:
        """End the process."""
        if self._child.poll() is None:
            self.tell("end")
        try:
            self._child.wait(10)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._listener.join(5)

    def _listen(self) -> None:
        assert self._child.stdout is not None
        for line in self._child.stdout:
            self.status = json.loads(line)
