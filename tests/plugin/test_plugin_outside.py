"""The plugin in a project that is not ours, which has packages called `devices` and `api` of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import psutil
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.ingest.conftest import wait_until

PROJECT = {
    "devices/__init__.py": 'MAKER = "ours"\n',
    "devices/store.py": 'SHELF = "three"\n',
    "api/__init__.py": 'VERSION = "ours too"\n',
    # Runs every test twice, as plugins do that repeat what failed.
    "conftest.py": """
from _pytest.runner import runtestprotocol


def pytest_runtest_protocol(item, nextitem):
    runtestprotocol(item, nextitem=item.parent)
""",
    "pytest.ini": "[pytest]\npythonpath = .\n",
    "test_outside.py": """
import sys

import api
import devices
import devices.store


def test_our_own_packages_are_ours(millpond, fleet):
    device = fleet.start("reed-vac-s", history_days=2)
    assert device.committed() == device.measured() != []
    assert (devices.MAKER, devices.store.SHELF, api.VERSION) == ("ours", "three", "ours too")


def test_nothing_of_the_platform_is_imported_here(customer):
    assert customer.offers() == []
    theirs = {"ingest", "forecasting", "attribution", "offers", "simulators", "fastapi", "psycopg", "pydantic"}
    assert theirs.isdisjoint(sys.modules)
    assert not [name for name in sys.modules if name.startswith(("api.", "millpond.kernel", "millpond.testing_host"))]
""",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with packages of the same names as ours."""
    for name, text in PROJECT.items():
        file = tmp_path / "project" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path / "project"


def run_pytest(project: Path, *options: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MILLPOND_", "PYTEST_"))}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options]
    return subprocess.run(
        command, cwd=project, env=kept | environment, capture_output=True, text=True, timeout=110, check=False
    )


def test_an_outside_project_keeps_its_own_packages(project: Path, server_dsn: str) -> None:
    # The project is on every path that a project can be on.
    done = run_pytest(project, PYTHONPATH=str(project), MILLPOND_TEST_DSN=server_dsn)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout


def test_the_plugin_costs_nothing_until_it_is_asked(project: Path) -> None:
    (project / "test_outside.py").write_text(
        "import sys\n\ndef test_alone():\n"
        "    ours = [name for name in sys.modules if name.startswith('millpond')]\n"
        "    assert ours == ['millpond', 'millpond.pytest_plugin']\n"
    )
    done = run_pytest(project)
    assert done.returncode == 0, done.stdout


def test_a_platform_that_does_not_start_is_one_sentence(project: Path) -> None:
    done = run_pytest(project, MILLPOND_TEST_DSN="postgresql://127.0.0.1:1/nowhere")
    assert done.returncode == 1
    assert "PlatformError: the platform has ended: millpond: the database does not answer" in done.stdout
    done = run_pytest(project, MILLPOND_COMMAND="no-such-program platform")
    assert "PlatformError: the platform cannot be started by no-such-program: No such file or directory" in done.stdout


def test_given_servers_and_a_given_command_are_used_and_a_failure_can_be_repeated(
    project: Path, server_dsn: str, broker_url: str
) -> None:
    (project / "test_outside.py").write_text(
        "def test_of_a_fleet(millpond, fleet):\n"
        f"    assert millpond.broker_url == {broker_url!r}\n"
        "    assert 'millpond_test_' in millpond.dsn\n"
        "    open('dsns', 'a').write(millpond.dsn + '\\n')\n"
        "    device = fleet.start('reed-air-2')\n"
        "    millpond.advance(days=1)\n"
        "    open('measured', 'w').write(str(device.measured()))\n"
        "    assert len(device.committed()) == 'as many as this'\n"
    )
    (project / "conftest.py").unlink()
    command = project / "platform"
    command.write_text(f'#!/bin/sh\ntouch "{project}/was-used"\nexec "{sys.executable}" -P -m millpond "$@"\n')
    command.chmod(0o755)
    servers = {"MILLPOND_TEST_DSN": server_dsn, "MILLPOND_TEST_BROKER": broker_url, "MILLPOND_COMMAND": str(command)}
    first = run_pytest(project, "--millpond-start=2026-05-01", **servers)
    assert first.returncode == 1, first.stderr
    assert "'as many as this'" in first.stdout
    [again] = re.findall(r"repeat it with (--millpond-seed=\d+) (--millpond-start=\S+)", first.stdout)
    assert f"millpond: {again[0]}\n" in first.stdout
    measured = (project / "measured").read_text()
    assert "2026, 5, 1" in measured
    (project / "measured").unlink()
    run_pytest(project, *again, **servers)
    assert (project / "measured").read_text() == measured
    assert (project / "was-used").exists()
    used = [conninfo_to_dict(dsn)["dbname"] for dsn in (project / "dsns").read_text().splitlines()]
    assert len(set(used)) == 2
    assert not set(used) & set(select_databases(server_dsn))


def test_a_killed_pytest_leaves_nothing_running(project: Path) -> None:
    (project / "test_outside.py").write_text(
        "import os, signal, psutil\n\n"
        "def test_dies(millpond):\n"
        "    pids = [child.pid for child in psutil.Process().children(recursive=True)]\n"
        "    open('pids', 'w').write(' '.join(map(str, pids)))\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert run_pytest(project).returncode == -9
    pids = [int(pid) for pid in (project / "pids").read_text().split()]
    assert len(pids) > 3, "the platform, PostgreSQL with its processes, and the broker"
    wait_until(lambda: not any(runs(pid) for pid in pids), "the platform and its servers to end")


def select_databases(dsn: str) -> list[str]:
    with psycopg.connect(dsn) as conn:
        return [row[0] for row in conn.execute("select datname from pg_database order by 1")]


def runs(pid: int) -> bool:
    """Whether a process is there and not only waiting for a parent in a container to take notice of its end."""
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
