"""The way from the box to the first forecast, as docs/devices.md has it: its commands, all of them and nothing else."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from millpond.embedded.ports import free_port
from millpond.kernel.db import connect

PAGE = Path(__file__).parents[2] / "docs" / "devices.md"
HEADING = "## From the box to its first forecast"


def commands() -> str:
    """What a newcomer types, from the guide's blocks of shell commands."""
    [section] = re.findall(rf"^{re.escape(HEADING)}\n(.*?)(?=^## )", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return "".join(re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL))


def test_who_types_what_the_guide_says_has_a_forecast(database: str, own_broker: str, tmp_path: Path) -> None:
    port = free_port()
    settings = {
        "MILLPOND_DATABASE_URL": database,
        "MILLPOND_BROKER_URL": own_broker,
        "MILLPOND_JWT_SECRET": "a secret for the tests, of more than 32 bytes",
        "MILLPOND_HTTP_PORT": str(port),
        "MILLPOND_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MILLPOND_")}
    shell = subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", commands()],
        cwd=tmp_path,
        env=kept | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        said, told = shell.communicate(timeout=110)
    finally:
        # Where a command failed, what it started in the background is there still.
        subprocess.run(
            ["kill", "-s", str(signal.SIGKILL.value), "--", f"-{shell.pid}"], check=False, capture_output=True
        )
    assert shell.returncode == 0, said + told
    assert "purifier-plug speaks tasmota: 61 messages wait" in said
    assert "PLUG-1 is a tasmota.purifier-plug now; stored of 61 messages" in said
    assert '"serial":"STARKVIND-1"' in said
    with connect(database) as conn:
        rows = conn.execute(
            "select d.serial, f.depletes_p50 > f.at, f.remaining_pct between 10 and 95"
            " from depletion_forecast f join installation using (installation_id) join device d using (device_id)"
            " order by 1"
        ).fetchall()
    assert rows == [("PLUG-1", True, True), ("STARKVIND-1", True, True)]
