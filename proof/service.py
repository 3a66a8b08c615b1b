"""One process of the platform, as an operator would run it: `python -m millpond COMMAND` with MILLPOND_* settings."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from millpond.embedded.process import Process

_ROOT = Path(__file__).parent.parent


class Service(Process):
    """A service that knows these settings and no others; `start` takes more of them for one life."""

    def __init__(self, command: str, settings: Mapping[str, str], log: Path) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("MILLPOND_")}
        words = [sys.executable, "-m", "millpond", command]
        super().__init__(words, log, environment={**clean, **settings}, folder=_ROOT)

    def rss_mb(self) -> float:
        """Resident memory in MB now; 0 when it does not run."""
        try:
            pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        except (OSError, IndexError):
            return 0.0
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
