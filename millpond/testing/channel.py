"""The process of the platform, and the JSON lines that go to and fro."""

import itertools
import json
import os
import queue
import shlex
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, cast

from millpond.testing.protocol import Ready, Requests

_READY_S = 120.0
_ANSWER_S = 600.0
_END_S = 20.0


class PlatformError(Exception):
    """The platform did not start, ended, or answered with this sentence."""


class Channel:
    """A platform in a process of its own, from its start until `close`."""

    def __init__(self, options: list[str], log: Path) -> None:
        __tracebackhide__ = True
        self.log = log
        self._numbers = itertools.count(1)
        self._asking = threading.Lock()
        self._answers: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._process = _start([*_command(), "platform", *options], log)
        threading.Thread(target=self._read, name="millpond", daemon=True).start()
        try:
            self.description = cast(Ready, self._next(_READY_S))
        except BaseException:
            self.close()
            raise

    @property
    def host(self) -> Requests:
        """The platform, to be asked like any object; PlatformError with its sentence when it has no answer."""
        return cast(Requests, _Asking(self.ask))

    def ask(self, what: str, /, **arguments: Any) -> Any:
        """The platform's answer to one request."""
        __tracebackhide__ = True
        with self._asking:
            return self._ask(what, arguments)

    def close(self) -> None:
        """Let the platform end and take its servers with it."""
        assert self._process.stdin is not None
        with suppress(OSError):  # What a platform that has ended was never told.
            self._process.stdin.close()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.terminate()
            try:
                self._process.wait(_END_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def _ask(self, what: str, arguments: dict[str, Any]) -> Any:
        __tracebackhide__ = True
        number = next(self._numbers)
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"id": number, "do": what, **arguments}).encode() + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise PlatformError(f"the platform has ended: {self._last_words()}") from error
        answer = self._next(_ANSWER_S)
        # A test that was interrupted amid a request never took its answer.
        while answer["id"] != number:
            answer = self._next(_ANSWER_S)
        if "error" in answer:
            raise PlatformError(answer["error"])
        return answer["ok"]

    def _next(self, timeout_s: float) -> dict[str, Any]:
        __tracebackhide__ = True
        try:
            answer = self._answers.get(timeout=timeout_s)
        except queue.Empty:
            raise PlatformError(f"the platform did not answer within {timeout_s:g} s; see {self.log}") from None
        if answer is None:
            self._answers.put(None)
            raise PlatformError(f"the platform has ended: {self._last_words()}")
        return answer

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as answers:
            for line in answers:
                # Whatever else a command of MILLPOND_COMMAND prints is no answer.
                with suppress(ValueError):
                    self._answers.put(json.loads(line))
        self._answers.put(None)

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return f"{lines[-1] if lines else 'it said nothing'} (all of it is in {self.log})"


class _Asking:
    """A call of a method is a request of that name."""

    def __init__(self, ask: Callable[..., Any]) -> None:
        self._ask = ask

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return partial(self._ask, name)


def _start(command: list[str], log: Path) -> "subprocess.Popen[bytes]":
    with log.open("ab") as errors:
        try:
            return subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=_environment(),
                # Ctrl-C is pytest's: it closes our end when it has finished with the fixtures.
                start_new_session=True,
            )
        except OSError as error:
            raise PlatformError(f"the platform cannot be started by {command[0]}: {error.strerror}") from error


def _command() -> list[str]:
    given = os.environ.get("MILLPOND_COMMAND")
    return shlex.split(given) if given else [sys.executable, "-P", "-m", "millpond"]


def _environment() -> dict[str, str]:
    """Ours, but with a path on which the project under test cannot hide the platform's own packages."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    root = str(Path(__file__).resolve().parents[2])
    installed = root in (sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))
    if not installed and "MILLPOND_COMMAND" not in os.environ:
        environment["PYTHONPATH"] = root
    return environment
