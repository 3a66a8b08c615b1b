"""Time is an argument: a clock is read, and time is measured, only at the edges that are named here."""

import ast
import subprocess
from collections.abc import Callable, Iterator

import pytest

from tests.rules.source import PRODUCT, ROOT, files, parse, tool

MAY_READ_THE_CLOCK = {
    "api/edge.py": "a request has one moment, that of its coming",
    "api/metrics.py": "one page is made for all who ask at the same time, whenever that is",
    "ingest/broker/lane.py": "a delivery was received when it is read from the socket",
    "ingest/writer.py": "a batch is stored when it is written",
    "millpond/cli/": "a command runs now, or for the moment that it is given",
    "millpond/demo/": "the demo has a clock of its own",
    "millpond/kernel/clock.py": "the clocks themselves",
    "millpond/scheduler.py": "what is due is due now",
    "millpond/services.py": "a database is prepared now",
    "millpond/testing/platform.py": "it asks the platform what time it is there",
    "millpond/testing_host/": "the platform of a test suite has a clock of its own",
    "outward/access/agent.py": "access ends now",
    "simulators/runs/": "a fleet that lives now lives by the clock",
    "simulators/scenarios/": "so does one of a scenario",
}
MAY_MEASURE_TIME = {
    "api/middleware.py": "how long a request took",
    "api/rates.py": "how fast a source sends",
    "api/recent.py": "for how long an answer is kept",
    "api/shared.py": "for how long an answer is kept",
    "api/tries.py": "how fast wrong tries come",
    "ingest/broker/": "how long a delivery waited, and a connection has been there",
    "ingest/drop_watch.py": "how often drops are told of",
    "ingest/sequences/gaps.py": "how often gaps are counted",
    "ingest/writer.py": "how often the writer shows that it is alive",
    "millpond/cli/fleet_screen.py": "what the screen shows",
    "millpond/demo/": "what the screen shows",
    "millpond/kernel/": "the clocks themselves, and how long something is waited for",
    "millpond/testing/platform.py": "how long something is waited for",
    "millpond/testing_host/": "how long something is waited for",
    "outward/access/": "how long the broker was busy with us, and when to look at all",
    "simulators/runs/": "how fast a fleet sends",
    "simulators/scenarios/": "how long an outcome is waited for",
    "simulators/wire/": "how fast a device sends, and how long a connection may take",
}
MEASURES = {"monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns"}

SOURCES = files(*PRODUCT)


def _readings(tree: ast.AST) -> Iterator[int]:
    """The lines on which `now` of anything is called, or `now` of a clock is handed on."""
    called = {node.func for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute) or node.attr != "now":
            continue
        if node in called or "clock" in ast.unparse(node.value).lower():
            yield node.lineno


def _measurements(tree: ast.AST) -> Iterator[int]:
    """The lines on which a function that measures time is named."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in MEASURES:
            yield node.lineno
        if isinstance(node, ast.Name) and node.id in MEASURES:
            yield node.lineno


Look = Callable[[ast.AST], Iterator[int]]
RULES: list[tuple[dict[str, str], Look]] = [(MAY_READ_THE_CLOCK, _readings), (MAY_MEASURE_TIME, _measurements)]


@pytest.mark.parametrize(("edges", "looks"), RULES, ids=["read a clock", "measure time"])
def test_only_the_edges_that_are_named(edges: dict[str, str], looks: Look) -> None:
    found = {file: lines for file, path in SOURCES.items() if (lines := list(looks(parse(path))))}
    below = {file: lines for file, lines in found.items() if _edge(file, edges) is None}
    assert below == {}, "take the moment as an argument, `at`; or name the edge above, and what it needs the time for"
    assert {_edge(file, edges) for file in found} == set(edges), "an edge is named above that is none"


def test_nothing_but_the_clocks_reads_the_time_of_the_system() -> None:
    command = [tool("ruff"), "check", "--select", "TID251,DTZ", *PRODUCT]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "code",
    ["clock.now()", "self._clock.now()", "settings.make_clock().now()", "edge.clock.now()", "later(self._clock.now)"],
)
def test_a_clock_is_found_however_it_is_read(code: str) -> None:
    assert list(_readings(ast.parse(code))) == [1]


@pytest.mark.parametrize("code", ["monotonic()", "time.monotonic()", "Pace(time=monotonic)", "time.perf_counter()"])
def test_a_measurement_is_found_however_it_is_made(code: str) -> None:
    assert list(_measurements(ast.parse(code))) == [1]


def _edge(file: str, edges: dict[str, str]) -> str | None:
    """The named edge that a file is, or stands in."""
    return next((edge for edge in edges if file == edge or (edge.endswith("/") and file.startswith(edge))), None)
