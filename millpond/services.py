"""The running services, put together from settings: what `ingest`, `schedule`, `serve` and `demo` start."""

import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from millpond.kernel.clock import Clock
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.errors import ConfigurationError, Unavailable
from millpond.kernel.metrics import metrics_served
from millpond.kernel.migrate import migrate, pending_migrations
from millpond.kernel.settings import Settings

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI

    from devices.seed import OwnSeeded


def prepare_database(settings: Settings, clock: Clock) -> list[str]:
    """Bring the database of these settings up to this program; returns the migrations applied now."""
    with connect(settings.database_url.get_secret_value()) as conn:
        return prepare_schema(conn, clock.now(), require_timescale=settings.require_timescale)


def prepare_schema(conn: WriteConnection, at: datetime, *, require_timescale: bool = False) -> list[str]:
    """Migrate, and renew what ships with Millpond; returns the migrations applied now."""
    from customers.purposes import seed_purposes
    from devices.retention import make_partitions
    from devices.seed import seed_shipped
    from segments.built_in import seed_segments

    applied = migrate(conn, at=at, require_timescale=require_timescale)
    seed_purposes(conn, at=at)
    seed_shipped(conn, at=at)
    seed_segments(conn, at=at)
    make_partitions(conn, at)
    return applied


def take_in_own_files(settings: Settings, clock: Clock) -> "OwnSeeded":
    """Put the user's own profiles, consumables and catalogue into the database."""
    from devices.seed import seed_own

    with connect(settings.database_url.get_secret_value()) as conn:
        folders = {"profiles_dir": settings.profiles_dir, "catalogue_dir": settings.catalogue_dir}
        return seed_own(conn, **folders, at=clock.now())


def require_schema(settings: Settings) -> None:
    """Raise ConfigurationError unless the database has every migration that this program has."""
    with connect(settings.database_url.get_secret_value()) as conn:
        if missing := pending_migrations(conn):
            raise ConfigurationError(f"the database lacks {len(missing)} migrations: run `millpond migrate` first")


def _nothing() -> None:
    """Nobody waits for the end."""


@contextmanager
def ingesting(settings: Settings, clock: Clock, *, on_end: Callable[[], None] = _nothing) -> Iterator[None]:
    """Ingest in a thread for as long as the context lasts, and beside it what devices tell of people.

    `on_end` is called in a thread of theirs when it ends, with or without an error.
    """
    from ingest.broker.session import Session
    from ingest.formats.shipped import listened_formats
    from ingest.listening import run_listening
    from ingest.service import run_ingest

    address = settings.broker_address()
    session = Session(
        address,
        settings.consumer,
        clock,
        settings.in_flight_max_messages,
        settings.in_flight_max_bytes,
        listened_formats(settings),
        settings.make_shard(),
    )
    with (
        in_thread("events", lambda stop: run_listening(settings, clock, stop), on_end),
        in_thread("ingest", lambda stop: run_ingest(settings, session, clock, stop), on_end),
    ):
        yield


@contextmanager
def scheduling(settings: Settings, clock: Clock, *, on_end: Callable[[], None] = _nothing) -> Iterator[None]:
    """The scheduler in a thread for as long as the context lasts; `on_end` as with ingest.

    Beside it the broker's users are kept, where the settings say by whom.
    """
    from millpond.scheduler import run_scheduler

    with ExitStack() as stack:
        if settings.broker_admin_url.get_secret_value():
            stack.enter_context(_keeping_access(settings, clock, on_end))
        stack.enter_context(in_thread("scheduler", lambda stop: run_scheduler(settings, clock, stop), on_end))
        yield


def _keeping_access(settings: Settings, clock: Clock, on_end: Callable[[], None]) -> AbstractContextManager[None]:
    """The keeper of the broker's users in a thread; ConfigurationError when it lacks a secret or an address."""
    from outward.access.agent import keep_access
    from outward.access.keeping import ours_of

    settings.device_keys()
    ours_of(settings)
    return in_thread("access", lambda stop: keep_access(settings, clock, stop), on_end)


@contextmanager
def serving(settings: Settings, clock: Clock, *, extra_health: Mapping[str, Any] | None = None) -> Iterator[str]:
    """API and pages in a thread; yields their local address. A port that is taken is a ConfigurationError."""
    import uvicorn

    from api.app import create_app
    from millpond.kernel.db import open_read_pool, open_write_pool

    listener = _listen(settings.http_host, settings.http_port)
    dsn = settings.database_url.get_secret_value()
    with open_read_pool(dsn) as reads, open_write_pool(dsn) as writes, ExitStack() as stack:
        app = create_app(settings, clock=clock, read_pool=reads, write_pool=writes, extra_health=extra_health)
        server = uvicorn.Server(_configure(app, settings))
        stack.enter_context(metrics_served(settings.http_host, settings.metrics_port, app.state.edge.figures))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="http")
        thread.start()
        try:
            host, port = listener.getsockname()[:2]
            yield f"http://{host}:{port}"
        finally:
            server.should_exit = True
            thread.join()
            listener.close()


def _configure(app: "FastAPI", settings: Settings) -> "uvicorn.Config":
    import uvicorn

    from api.connections import Patience, patient_protocol

    patience = Patience(settings.http_head_timeout_s, settings.http_body_timeout_s, settings.http_connections_max)
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        loop="uvloop",
        http=patient_protocol(patience),
        timeout_keep_alive=settings.http_keep_alive_s,
        limit_concurrency=settings.http_connections_max + 1,
    )


@contextmanager
def in_thread(
    name: str, run: Callable[[threading.Event], object], on_end: Callable[[], None] = _nothing
) -> Iterator[None]:
    """`run(stop)` in a thread; `stop` is set and the thread joined at the end. What it raised is raised here.

    Whoever waits inside the context gives `on_end`, so that a service that died does not leave a process that only
    looks alive.
    """
    stop = threading.Event()
    raised: list[BaseException] = []

    def guarded() -> None:
        try:
            run(stop)
        except BaseException as error:
            raised.append(error)
        finally:
            on_end()

    thread = threading.Thread(target=guarded, name=name)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    if raised:
        raise Unavailable(f"{name} ended early: {raised[0]}") from raised[0]


@contextmanager
def until_signalled() -> Iterator[threading.Event]:
    """An event that Ctrl-C, SIGTERM and a closed terminal set, instead of ending the process amid something."""
    stop = threading.Event()
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, lambda *_: stop.set()) for number in signals]
    try:
        yield stop
    finally:
        for number, previous in zip(signals, before, strict=True):
            signal.signal(number, previous)


def require_port(host: str, port: int) -> None:
    """Raise ConfigurationError when somebody listens there already; for a look before anything else is started."""
    _listen(host, port).close()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio sets TCP_NODELAY on what it accepts; without, each answer would wait 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen()  # Whoever is told the address may come at once, and waits instead of being refused.
    except OSError as error:
        listener.close()
        raise ConfigurationError(f"cannot listen on {host}:{port}: {error.strerror}; choose another port") from error
    return listener
