"""A language of somebody's own: a package with an entry point is a format, and a broken one stops no other."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ingest.formats.installed import GROUP

MODULE = """
import json
from ingest.formats.format import Subscription
from ingest.formats.saying import Saying
from ingest.formats.spoken import raw, spoken
from ingest.nouns import Lane

def parse(delivery, described):
    return [Saying(delivery.topic.split("/")[1], json.loads(delivery.payload))]

GOOD = spoken("acme", [Subscription("acme/+/state", Lane.LIVE)], parse)
OURS = raw("dyson", parse)
ALL = spoken("greedy", [Subscription("#", Lane.LIVE)], parse)
NOTHING = 7
"""
POINTS = """
a-good = acme_millpond:GOOD
b-ours = acme_millpond:OURS
c-missing = acme_millpond:NOT_THERE
d-nothing = acme_millpond:NOTHING
e-greedy = acme_millpond:ALL
f-broken = acme_broken:X
g-again = acme_millpond:GOOD
"""


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder as a package is installed into it, for the path of another process."""
    (tmp_path / "acme_millpond.py").write_text(MODULE)
    (tmp_path / "acme_broken.py").write_text("raise RuntimeError('not today')")
    info = tmp_path / "acme_millpond-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-millpond\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{GROUP}]{POINTS}")
    return tmp_path


def run(installed: Path, *words: str, stdin: str = "", **settings: str) -> "subprocess.CompletedProcess[str]":
    env = {name: value for name, value in os.environ.items() if not name.startswith("MILLPOND_")}
    env |= {"PYTHONPATH": f"{installed}:{Path.cwd()}", "COLUMNS": "200"} | settings
    command = [sys.executable, "-m", *words]
    return subprocess.run(command, capture_output=True, text=True, env=env, input=stdin, timeout=90, check=False)


def test_a_message_in_an_installed_language_is_read_and_ours_go_on(installed: Path) -> None:
    done = run(installed, "millpond", "decode", "--topic", "acme/A-1/state", "--json", "-", stdin='{"life": 7}')
    assert '"said": "life"' in done.stdout
    ours = run(
        installed, "millpond", "decode", "--topic", "millpond/v1/A/telemetry", "-", stdin='{"metrics": {"power": true}}'
    )
    assert ours.returncode == 0


def test_ingest_listens_to_it(installed: Path) -> None:
    script = (
        "from ingest.formats.shipped import listened_formats; from ingest.nouns import Lane;"
        "from millpond.kernel.settings import load_settings;"
        "print(listened_formats(load_settings()).topic_filters(Lane.LIVE))"
    )
    env = {"PYTHONPATH": f"{installed}:{Path.cwd()}", "PATH": os.environ["PATH"]}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=env, check=True)
    assert "'acme/+/state'" in done.stdout
    assert "'#'" not in done.stdout


def test_doctor_names_each_that_is_broken(installed: Path) -> None:
    done = run(installed, "millpond", "doctor", "--only", "profiles")
    assert done.returncode == 1
    told = [line for line in done.stdout.splitlines() if line.startswith("✗")]
    for line, (name, why) in zip(
        told,
        [
            ("b-ours", "there is another format of the name dyson"),
            ("c-missing", "AttributeError"),
            ("d-nothing", "it is a int, not a Format"),
            ("e-greedy", "its topic filter '#' begins with a wildcard"),
            ("f-broken", "RuntimeError: not today"),
            ("g-again", "there is another format of the name acme"),
        ],
        strict=True,
    ):
        assert f"format {name} of acme-millpond" in line
        assert why in line
