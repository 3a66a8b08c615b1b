"""SDKs that people already have, against a served Millpond that loses an answer, goes away and comes back."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from signal import SIGKILL

import pytest

from events.nouns import SourceKind
from events.sources import issue_key, register_source
from millpond.embedded.ports import free_port
from millpond.embedded.process import Process
from millpond.kernel.clock import SystemClock
from millpond.kernel.db import connect
from millpond.kernel.waiting import wait_until
from tests.api.world import SECRET
from tests.sdks.cut import Cut

HERE = Path(__file__).parent
SDKS = ("segment-python", "rudder-python", "segment-node", "rudder-node")
_AT_A_TIME = 100


def _command(sdk: str) -> list[str]:
    if sdk.endswith("-python"):
        return [sys.executable, "-P", str(HERE / "client.py"), sdk]
    node = shutil.which("node")
    if node is None or not (HERE / "node_modules").exists():
        if os.environ.get("CI"):
            pytest.fail("Node or the pinned SDKs are missing: run scripts/test")
        pytest.skip("no Node: scripts/test installs it and the pinned SDKs")
    return [node, str(HERE / "client.mjs"), sdk]


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def server(database: str, tmp_path: Path, port: int) -> Iterator[Process]:
    """`millpond serve` as an operator runs it, which may be killed and started again."""
    settings = {"MILLPOND_DATABASE_URL": database, "MILLPOND_HTTP_PORT": str(port), "MILLPOND_JWT_SECRET": SECRET}
    command = [sys.executable, "-P", "-m", "millpond", "serve"]
    with Process(command, tmp_path / "serve.log", environment=os.environ | settings) as process:
        yield process


class Client:
    """One SDK in a process of its own, which sends to a source of its own by a way that loses the first answer."""

    def __init__(self, sdk: str, database: str, port: int, opened: ExitStack) -> None:
        self.sdk, self._database, self.way = sdk, database, Cut(port)
        opened.callback(self.way.close)
        at = SystemClock().now()
        with connect(database) as conn:
            self.source_id = register_source(conn, name=sdk, kind=SourceKind.SERVER, at=at).source_id
            key = issue_key(conn, self.source_id, at=at).write_key
        command = [*_command(sdk), f"http://127.0.0.1:{self.way.port}", key]
        self._process = subprocess.Popen(
            command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        opened.callback(self._process.kill)

    def send(self, events: int) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{events}\n")
        self._process.stdin.flush()

    def end(self) -> dict[str, list[str]]:
        """What the SDK was told of each event, once it is done with all."""
        said, _ = self._process.communicate(timeout=60)
        told: dict[str, list[str]] = json.loads(said.splitlines()[-1])
        return told

    def stored(self) -> list[str]:
        with connect(self._database) as conn:
            rows = conn.execute("select message_id from event where source_id = %s", [self.source_id]).fetchall()
        return [message_id for (message_id,) in rows]

    def repeated(self) -> int:
        with connect(self._database) as conn:
            row = conn.execute(
                "select sum(repeated) from source_hour where source_id = %s", [self.source_id]
            ).fetchone()
        assert row is not None
        return int(row[0])


def test_nothing_that_an_sdk_was_told_is_taken_is_lost_and_nothing_counts_twice(
    database: str, server: Process, port: int
) -> None:
    with ExitStack() as opened:
        clients = [Client(sdk, database, port, opened) for sdk in SDKS]
        for client in clients:
            client.send(_AT_A_TIME)
        wait_until(lambda: all(len(c.stored()) == _AT_A_TIME for c in clients), "what was sent first", timeout_s=60)
        server.signal(SIGKILL)
        server.wait(10)
        tried = {client.sdk: client.way.in_vain for client in clients}
        for client in clients:
            client.send(_AT_A_TIME)
        wait_until(lambda: all(c.way.in_vain > tried[c.sdk] for c in clients), "all to try in vain", timeout_s=60)
        server.start()
        for client in clients:
            client.send(_AT_A_TIME)
        told = {client.sdk: client.end() for client in clients}
        for client in clients:
            sent = {f"{client.sdk}-{n}" for n in range(3 * _AT_A_TIME)}
            stored, taken = client.stored(), set(told[client.sdk]["taken"])
            assert taken | set(told[client.sdk]["failed"]) == sent
            assert taken <= set(stored) <= sent
            assert len(stored) == len(set(stored))
            assert len(taken) == len(sent), f"{client.sdk} gave up, though the server was away for seconds only"
            assert client.repeated() > 0, f"{client.sdk} lost an answer, and did not ask again"
