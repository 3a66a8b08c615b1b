"""Requests in, answers out, one JSON object a line, until the other end closes or a signal comes."""

import json
import os
import queue
import sys
import threading
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

_LOOK_S = 0.2
_CHUNK_BYTES = 65_536


class Control:
    """The channel to whoever started us. `stop` is set when they are gone, also amid a request."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._lines: queue.Queue[bytes] = queue.Queue()
        # What any library prints must not end up among the answers.
        self._answers = os.dup(sys.stdout.fileno())
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        self._requests = sys.stdin.fileno()
        threading.Thread(target=self._read, name="control", daemon=True).start()

    def requests(self) -> Iterator[dict[str, Any]]:
        """What is asked, one after the other."""
        while not self._stop.is_set():
            try:
                line = self._lines.get(timeout=_LOOK_S)
            except queue.Empty:
                continue
            yield json.loads(line)

    def answer(self, answer: Mapping[str, Any]) -> None:
        """One line, at once; moments as RFC 3339. Nobody may be there any more to read it."""
        line = json.dumps(answer, default=_plain) + "\n"
        try:
            with os.fdopen(os.dup(self._answers), "w", encoding="utf-8") as out:
                out.write(line)
        except BrokenPipeError:
            self._stop.set()

    def _read(self) -> None:
        # Not through sys.stdin: a thread that waits inside its buffer would stand in the way of the interpreter's end.
        rest = b""
        while chunk := os.read(self._requests, _CHUNK_BYTES):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self._lines.put(line)
        self._stop.set()


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)
