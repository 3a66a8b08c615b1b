"""How quickly events are taken by the tracking API; see `python -m benchmarks.events --help`."""

import json as jsonlib
import subprocess
import tempfile
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from random import Random
from statistics import median
from typing import Annotated, Any

import typer

from benchmarks.common import Dsn, Json, NoBroker, Result, fresh_database, run, step, tell, timed
from benchmarks.cpu import CpuMeter, find_database
from benchmarks.http_load import Served, find_wrk, served
from events.nouns import SourceKind
from events.sources import issue_key, register_source
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.errors import Unavailable

_LUA = Path(__file__).with_suffix(".lua")
_NAMES = ("Product Viewed", "Product Clicked", "Product Added")
_AT = datetime(2026, 1, 1, tzinfo=UTC)


def main(
    seconds: Annotated[int, typer.Option(min=1, help="Seconds of load in each round.")] = 5,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of load, each followed by COPY; the medians count.")] = 3,
    batch: Annotated[int, typer.Option(min=1, max=1000, help="Events in one request.")] = 100,
    connections: Annotated[int, typer.Option(min=1, help="Connections of the client.")] = 8,
    dsn: Dsn = None,
    broker: NoBroker = None,
    json: Json = False,
) -> None:
    """Events a second through `/v1/batch` into the database, against COPY of the same rows.

    **Measured:** `millpond serve`, one process as an operator runs it, to which wrk posts batches as a browser's SDK
    writes them: a view, a click or a cart each, with a context of a page, from 5,000 people. An answer comes after the
    commit, so `p99_ms` bounds the time from an event's arrival to its being there for whoever reads. All is new.

    **Reference:** the rows that were just stored, as COPY in text into an empty table of the same columns, keys and
    indexes, in one transaction: no identifiers to note, no figures, no request.
    """
    with fresh_database(dsn) as own, connect(own) as conn, step("taking events"):
        source = register_source(conn, name="Load", kind=SourceKind.SERVER, at=_AT)
        key = issue_key(conn, source.source_id, at=_AT).write_key
        conn.execute("create table event_copy (like event including all)")
        with served(own, MILLPOND_SOURCE_EVENTS_PER_S="0") as serving:
            _put_load_on(serving, key, make_batch(batch), "warm", seconds=1, connections=connections)
            seen = [_measure(conn, serving, key, batch, n, seconds, connections) for n in range(rounds)]
    figures = {name: median(each[name] for each in seen) for name in seen[0]}
    sizes = {"seconds": seconds, "rounds": rounds, "batch": batch, "connections": connections}
    reference = "COPY of the same rows into the same shape"
    copied = figures.pop("copy_rows_per_s")
    tell(Result("events", "events_per_s", "events/s", figures, copied, reference, sizes), as_json=json)


def make_batch(events: int) -> str:
    """A body of so many calls, in which @ stands for what makes their message ids new."""
    random = Random(4)
    calls = [_call(random, n) for n in range(events)]
    return jsonlib.dumps({"batch": calls, "sentAt": _AT.isoformat()})


def _call(random: Random, number: int) -> dict[str, Any]:
    anonymous_id, sku = f"browser-{random.randrange(5_000):05}", f"REED-{random.randrange(300):03}"
    page = {
        "path": f"/products/{sku.lower()}",
        "title": "Reed",
        "referrer": "https://shop.example/",
        "url": "https://shop.example/p",
    }
    return {
        "type": "track",
        "event": random.choice(_NAMES),
        "messageId": f"@-{number}",
        "anonymousId": anonymous_id,
        "timestamp": (_AT - timedelta(seconds=random.randrange(60))).isoformat(),
        "properties": {
            "sku": sku,
            "price": random.randrange(900) / 10,
            "currency": "EUR",
            "category": "air",
            "position": number,
        },
        "context": {
            "page": page,
            "locale": "ko-KR",
            "library": {"name": "analytics.js", "version": "2.11.1"},
            "userAgent": "Mozilla/5.0",
        },
    }


def _measure(
    conn: WriteConnection, serving: Served, key: str, batch: int, number: int, seconds: int, connections: int
) -> dict[str, float]:
    conn.execute("truncate event, event_copy")
    cpu = CpuMeter({"serve": serving.pid, "database": find_database(conn)})
    load = _put_load_on(serving, key, make_batch(batch), f"r{number}-", seconds=seconds, connections=connections)
    per_event = cpu.microseconds_each(load["requests"] * batch)
    [(stored,)] = conn.execute("select count(*) from event").fetchall()
    if stored < load["requests"] * batch:
        raise Unavailable(f"{load['requests']} batches were answered, and {stored} events are stored")
    return {
        "events_per_s": load["requests"] * batch / load["took_us"] * 1e6,
        "p50_ms": load["p50_us"] / 1e3,
        "p99_ms": load["p99_us"] / 1e3,
        "copy_rows_per_s": stored / _copy(conn),
        **per_event,
    }


def _copy(conn: WriteConnection) -> float:
    """Seconds that COPY takes for all rows there are."""
    rows = BytesIO()
    with conn.cursor() as cursor:
        with cursor.copy("copy event to stdout") as out:
            for piece in out:
                rows.write(piece)

        def write() -> None:
            with cursor.copy("copy event_copy from stdin") as copy:
                copy.write(rows.getbuffer())

        return timed(write)[1]


def _put_load_on(serving: Served, key: str, body: str, seed: str, *, seconds: int, connections: int) -> dict[str, Any]:
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(body)
        file.flush()
        command = [find_wrk(), "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", str(_LUA)]
        basic = b64encode(f"{key}:".encode()).decode()
        words = [f"http://127.0.0.1:{serving.port}", "--", file.name, basic, seed]
        done = subprocess.run([*command, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unavailable(f"wrk failed: {done.stderr.strip()[-200:]}")
    seen: dict[str, Any] = jsonlib.loads(done.stdout.splitlines()[-1])
    if seen["refused"] or seen["broken"] or not seen["requests"]:
        raise Unavailable(
            f"of {seen['requests']} batches {seen['refused']} were refused, and {seen['broken']} broke off"
        )
    return seen


if __name__ == "__main__":
    run(main)
