"""Millpond for your test suite: a running platform, devices without hardware, and people who own them.

Nothing is started, and nothing more is imported, until a test asks for one of the fixtures `millpond`, `fleet`,
`customer` or `staff`. The servers are those of `MILLPOND_TEST_DSN` and `MILLPOND_TEST_BROKER`, else embedded ones; the
platform is started by `MILLPOND_COMMAND`, else by `python -P -m millpond`.
"""

from __future__ import annotations

import os
import secrets
import zlib
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from millpond.testing import Customer, Fleet, Millpond, Staff

_STARTED = pytest.StashKey["Millpond"]()
_BEGAN = pytest.StashKey[str]()
_RUNS = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("millpond", "a Millpond to test against")
    group.addoption(
        "--millpond-seed",
        type=int,
        metavar="N",
        help="what simulated households and devices follow from; random without, and shown in the header",
    )
    group.addoption(
        "--millpond-start",
        default="2026-03-01",
        metavar="T",
        help="the platform's first moment, RFC 3339, or `now`; it stands still until a test advances it",
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.option.millpond_seed is None:
        given = getattr(config, "workerinput", {}).get("millpond_seed")
        config.option.millpond_seed = secrets.randbelow(1_000_000) if given is None else given


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """All workers of pytest-xdist have the seed that the header shows."""
    node.workerinput["millpond_seed"] = node.config.option.millpond_seed


def pytest_report_header(config: pytest.Config) -> str:
    return f"millpond: --millpond-seed={config.option.millpond_seed}"


@pytest.fixture(scope="session")
def millpond(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Millpond]:
    """A whole running Millpond, once a session: database, broker, ingest, API; in a process of its own.

    `address`, `broker_url`, `dsn` and `operator` say where it is; `now` and `advance(days=…)` are its clock, which
    stands still otherwise; `run_forecasts()` and `issue_offers()` run the jobs; `wait_until(condition)` waits for
    commits.
    """
    from millpond.testing.platform import Millpond

    if os.environ.get("MILLPOND_TEST_BROKER") and os.environ.get("PYTEST_XDIST_WORKER"):
        raise pytest.UsageError(
            "MILLPOND_TEST_BROKER is one broker, and the platforms of several workers would acknowledge each other's"
            " devices there: unset it, or run without -n"
        )
    option = pytestconfig.option
    log = tmp_path_factory.mktemp("millpond") / "platform.log"
    running = Millpond(option.millpond_seed, option.millpond_start, log)
    pytestconfig.stash[_STARTED] = running
    try:
        yield running
    finally:
        del pytestconfig.stash[_STARTED]
        running.channel.close()


@pytest.fixture
def staff(millpond: Millpond) -> Staff:
    """A fresh staff member in a shop of their own, as an HTTP client with their token: `staff.statement()`."""
    return millpond.new_staff()


@pytest.fixture
def customer(millpond: Millpond, staff: Staff) -> Customer:
    """A fresh customer who scanned the badge of `staff`, as an HTTP client with their token: `customer.offers()`."""
    return millpond.new_customer(staff)


@pytest.fixture
def fleet(millpond: Millpond, customer: Customer, request: pytest.FixtureRequest) -> Iterator[Fleet]:
    """The devices of this test, which `customer` owns.

    `fleet.start(model, …)` switches a simulated one on, `fleet.register(serial)` tells the platform of one of yours;
    `fleet.advance(days=…)` lets time pass, and what was measured meanwhile is committed on return.
    """
    from millpond.testing.fleet import Fleet

    node = request.node
    # A test that is run again by the same pytest needs other serials than before.
    node.stash[_RUNS] = run = node.stash.get(_RUNS, 0) + 1
    devices = Fleet(millpond, customer, zlib.crc32(f"{millpond.seed} {node.nodeid} {run}".encode()))
    yield devices
    devices.close()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    running = _running_for(item)
    if running is not None:
        item.stash[_BEGAN] = running.now.isoformat()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    running = _running_for(item)
    if report.failed and running is not None:
        start = item.stash.get(_BEGAN, item.config.option.millpond_start)
        again = f"repeat it with --millpond-seed={running.seed} --millpond-start={start}"
        report.sections.append(("millpond", f"{again}\nwhat the platform said: {running.channel.log}"))
    return report


def _running_for(item: pytest.Item) -> Millpond | None:
    """The platform, when it runs and the test uses it."""
    return item.config.stash.get(_STARTED, None) if "millpond" in getattr(item, "fixturenames", ()) else None
