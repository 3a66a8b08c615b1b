"""The fleet's own process, which outlives every fault: `python -m proof.fleet --help`.

It reads commands from stdin (`drain`, `clock MS`, `end`) and says four times a second how it stands, as JSON lines.
"""

import argparse
import json
import queue
import sys
import threading
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from random import Random

from devices.wire import build_topic, parse_topic
from millpond.kernel.broker import BrokerAddress, parse_broker_url
from millpond.kernel.clock import SystemClock, monotonic
from proof.device import Device
from proof.hub import Hub, hub_file
from proof.journal import Journal
from proof.poison import make_poison
from simulators.wire.message import Message
from simulators.wire.publisher import Publisher

_WINDOW = 1000
_TICK_S = 0.02
_SAY_EVERY_S = 0.25
_BURST_CHANCE = 0.01  # of a device that takes many samples at once, each turn after its first


@dataclass(slots=True)
class Plan:
    """What a fleet does. `rate` is samples a second of all devices together, `poison` bad messages a good one.

    `hub_rate` is messages a second of a hub beside them.
    """

    broker: str
    prefix: str
    devices: int
    rate: float
    window: int
    seed: int
    poison: float
    quantum_ms: int
    hub_rate: float
    journal: Path


class Gateway:
    """One connection that some devices share, as behind a home's gateway. It looks for its broker every two seconds."""

    def __init__(self, broker: BrokerAddress, client_id: str, serials: list[str]) -> None:
        self.serials = serials
        topics = [build_topic(serial, channel) for serial in serials for channel in ("ack", "command")]
        self.publisher = Publisher(broker, client_id, subscriptions=topics, window=_WINDOW, reconnect_max_s=2)
        self._sessions_seen = 1

    def is_new(self) -> bool:
        """Whether it has connected anew since the last question."""
        seen, self._sessions_seen = self._sessions_seen, self.publisher.sessions
        return self._sessions_seen > seen


class Fleet:
    """Devices behind a few gateways, paced by a clock that never jumps."""

    def __init__(self, plan: Plan, journal: Journal) -> None:
        self._plan, self._journal, self._chance = plan, journal, Random(plan.seed)
        names = [f"{plan.prefix}{number:04d}" for number in range(plan.devices)]
        self._devices = [Device(n, name, plan.seed, journal, plan.window) for n, name in enumerate(names)]
        self._by_serial = {device.serial: device for device in self._devices}
        address = parse_broker_url(plan.broker)
        groups = [names[start::4] for start in range(min(4, len(names)))]
        self._gateways = [Gateway(address, f"{plan.prefix}gw{n}", group) for n, group in enumerate(groups)]
        self._gateway_of = {name: g for g, group in zip(self._gateways, groups, strict=True) for name in group}
        self._hub = Hub(address, hub_file(plan.journal), plan.hub_rate, SystemClock())
        self._answers: deque[tuple[Gateway, Message]] = deque()
        self._clock, self._offset_ms = SystemClock(), 0
        self._last_ms = dict.fromkeys(names, 0)
        self._turn = self._poisoned = 0
        self.measuring = True

    def start(self) -> None:
        """Connect; from then on every gateway connects again by itself."""
        for device in self._devices:
            device.live_alone(self._now_ms())
        self._journal.flush()
        for gateway in self._gateways:
            gateway.publisher.connect()

    def stop(self) -> None:
        """Leave the broker."""
        for gateway in self._gateways:
            gateway.publisher.close()
        self._hub.close()

    def set_clock(self, offset_ms: int) -> None:
        """From now on the devices' clocks are off by so many milliseconds."""
        self._offset_ms = offset_ms
        self._last_ms = dict.fromkeys(self._last_ms, 0)

    def step(self, due: int) -> None:
        """Listen, measure `due` samples, and send what may be sent."""
        self._listen()
        for _ in range(due if self.measuring else 0):
            self._measure_next()
        self._journal.flush()
        self._send()
        if self._plan.hub_rate:
            self._hub.step(measuring=self.measuring)

    def status(self) -> dict[str, object]:
        """How it stands, in samples; `poisoned` in messages."""
        return {
            "measured": sum(d.measured for d in self._devices),
            "acked": sum(d.acked for d in self._devices),
            "held": sum(len(d.outbox) for d in self._devices),
            "poisoned": self._poisoned,
            "drained": not self.measuring and self._hub.drained and all(not len(d.outbox) for d in self._devices),
        }

    def _measure_next(self) -> None:
        device = self._devices[self._turn % len(self._devices)]
        self._turn += 1
        if device.burst > 1 and device.measured and self._chance.random() > _BURST_CHANCE:
            return
        for _ in range(device.burst):
            self._measure(device)
        if self._chance.random() < self._plan.poison:
            self._send_poison(device)

    def _now_ms(self) -> int:
        return int(self._clock.now().timestamp() * 1000)

    def _measure(self, device: Device) -> None:
        now_ms = self._now_ms()
        quantum = self._plan.quantum_ms
        ts_ms = max((now_ms + self._offset_ms) // quantum * quantum, self._last_ms[device.serial] + quantum)
        self._last_ms[device.serial] = ts_ms
        device.measure(ts_ms, now_ms)

    def _send_poison(self, device: Device) -> None:
        self._poisoned += 1
        topic, payload = make_poison(device.serial, self._poisoned, self._chance)
        self._journal.remember_poison(topic, payload)
        self._answers.append((self._gateway_of[device.serial], Message(topic, payload)))

    def _listen(self) -> None:
        now = monotonic()
        for gateway in self._gateways:
            if gateway.is_new():
                for serial in gateway.serials:
                    self._by_serial[serial].on_reconnect()
            for topic, payload in gateway.publisher.received():
                self._on_message(gateway, topic, payload, now)

    def _on_message(self, gateway: Gateway, topic: str, payload: bytes, now: float) -> None:
        parsed = parse_topic(topic)
        if parsed is None:
            return
        device = self._by_serial[parsed.serial]
        if parsed.channel == "ack":
            device.on_ack(payload, now)
        elif parsed.channel == "command":
            self._answers.extend((gateway, Message(*again)) for again in device.on_command(payload, self._now_ms()))

    def _send(self) -> None:
        now = monotonic()
        while self._answers and self._answers[0][0].publisher.room:
            gateway, answer = self._answers.popleft()
            gateway.publisher.publish(answer)
        for device in self._devices:
            device.on_silence(now)
            publisher = self._gateway_of[device.serial].publisher
            while publisher.room and (message := device.next_message(now, self._now_ms())):
                publisher.publish(Message(*message))


def main() -> None:
    """Run until told to end, or until stdin closes: the fleet never outlives who started it."""
    plan = _parse_plan()
    commands: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_read_commands, args=(commands,), daemon=True).start()
    with Journal(plan.journal) as journal:
        fleet = Fleet(plan, journal)
        fleet.start()
        try:
            _run(fleet, plan.rate, commands)
        finally:
            fleet.stop()


def _run(fleet: Fleet, rate: float, commands: "queue.Queue[str]") -> None:
    ticker, next_word = threading.Event(), 0.0
    last, owed = monotonic(), 0.0
    while True:
        word, _, value = (commands.get_nowait() if not commands.empty() else "").partition(" ")
        if word == "end":
            return
        if word == "drain":
            fleet.measuring = False
        elif word == "clock":
            fleet.set_clock(int(value))
        now = monotonic()
        # A fleet that was starved measures less instead of ever more at once: the figures then say so.
        owed = min(owed + (now - last) * rate, rate)
        last = now
        fleet.step(int(owed))
        owed -= int(owed)
        if now >= next_word:
            next_word = now + _SAY_EVERY_S
            _say(fleet.status())
        ticker.wait(_TICK_S)


def _say(status: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(status) + "\n")
    sys.stdout.flush()


def _read_commands(commands: "queue.Queue[str]") -> None:
    for line in sys.stdin:
        commands.put(line.strip())
    commands.put("end")


def _parse_plan() -> Plan:
    parser = argparse.ArgumentParser(prog="python -m proof.fleet", description=__doc__)
    parser.add_argument("--broker", required=True)
    parser.add_argument("--prefix", required=True, help="beginning of the serials")
    parser.add_argument("--devices", type=int, default=200)
    parser.add_argument("--rate", type=float, default=1000, help="samples a second of all devices together")
    parser.add_argument("--window", type=int, default=60, help="samples a device sends ahead of the acknowledgement")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--poison", type=float, default=0, help="bad messages a good one")
    parser.add_argument(
        "--hub-rate", type=float, default=0, help="messages a second of a hub without numbers and times"
    )
    parser.add_argument("--quantum-ms", type=int, default=1, help="how fine the devices' clocks are")
    parser.add_argument("--journal", type=Path, required=True)
    return Plan(**vars(parser.parse_args()))


if __name__ == "__main__":
    main()
