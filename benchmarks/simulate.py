"""Messages/s that one process of `millpond simulate --compact` publishes, against `mosquitto_pub`, written in C.

Both publish payloads of the same kind with QoS 1 to the same broker, to which nobody subscribes, and wait for every
confirmation. `mosquitto_pub` has one connection and one topic, the fleet a topic a device over a few connections.
"""

import resource
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.common import Broker, Json, Result, Seed, run, some_broker, step, tell, timed
from devices.profile import shipped_profiles
from millpond.kernel.broker import BrokerAddress, parse_broker_url
from millpond.kernel.errors import ConfigurationError
from simulators.runs.compact import CompactFleet, make_template
from simulators.runs.fleet import FleetPlan, make_manifest
from simulators.wire.pace import Limits

_START = datetime(2026, 1, 1, tzinfo=UTC)
_TIMEOUT_S = 300


def simulate(
    broker: Broker = None,
    dsn: Annotated[str | None, typer.Option(help="Not needed here; taken so that all are called alike.")] = None,
    devices: Annotated[int, typer.Option(help="How many devices.")] = 20_000,
    connections: Annotated[int, typer.Option(help="Connections that share them; 0 is one for each.")] = 8,
    seconds: Annotated[float, typer.Option(help="How long the fleet publishes.")] = 10,
    reference_messages: Annotated[int, typer.Option(help="How many messages the reference publishes.")] = 100_000,
    seed: Seed = 1,
    json: Json = False,
) -> None:
    """Measure how fast a simulated fleet's load can be."""
    program = shutil.which("mosquitto_pub")
    if program is None:
        raise ConfigurationError("the reference needs mosquitto_pub: apt-get install mosquitto-clients")
    with some_broker(broker) as url:
        address = parse_broker_url(url)
        with step("the fleet publishes"):
            figures = measure(address, devices, connections, seconds, seed)
        with step("mosquitto_pub publishes"):
            reference = measure_reference(program, address, reference_messages)
    sizes = {"devices": devices, "connections": connections or devices, "seconds": seconds, "seed": seed}
    name = "mosquitto_pub -q 1 -l, one connection"
    tell(Result("simulate", "messages_per_s", "messages/s", figures, reference, name, sizes), as_json=json)


def measure(address: BrokerAddress, devices: int, connections: int, seconds: float, seed: int) -> dict[str, float]:
    """Confirmed messages/s of a compact fleet, and its memory half-way and at the end."""
    manifest = make_manifest(FleetPlan(history_days=0, devices=devices, seed=seed, start=_START))
    with CompactFleet(manifest, shipped_profiles(), address, seed=seed, start=_START, connections=connections) as load:
        _, first_s = timed(lambda: load.publish(Limits(duration_s=seconds / 2)))
        half_way = resident_mb()
        _, second_s = timed(lambda: load.publish(Limits(duration_s=seconds / 2)))
        done = load.summary()
    elapsed = first_s + second_s
    return {
        "messages_per_s": done.messages_published / elapsed,
        "readings_per_s": done.readings / elapsed,
        "rss_half_way_mb": half_way,
        "rss_end_mb": resident_mb(),
        "rss_peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def resident_mb() -> float:
    """Memory that this process holds now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


def measure_reference(program: str, address: BrokerAddress, messages: int) -> float:
    """Messages/s of the C publisher, which takes a payload a line."""
    tails = make_template(shipped_profiles()["reed-air-2"], 1, _START).tails
    lines = b"".join(
        b'{"boot":"1a2b3c4d","seq":%d,"ts":%d,%b\n' % (seq, 1_767_225_600_000 + seq * 1000, tails[seq % len(tails)])
        for seq in range(messages)
    )
    command = [program, "-h", address.host, "-p", str(address.port), "-t", "millpond/v1/REFERENCE/telemetry"]
    _, elapsed = timed(lambda: subprocess.run([*command, "-q", "1", "-l"], input=lines, check=True, timeout=_TIMEOUT_S))
    return messages / elapsed


if __name__ == "__main__":
    run(simulate)
