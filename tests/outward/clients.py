"""A client of the broker in a test: what the broker answers it, and what it hears."""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

_PATIENCE_S = 30.0


class Client:
    """One MQTT 5 connection: version 5 says why it refuses. `answer` is what the broker said to the connect."""

    def __init__(self, port: int, client_id: str, username: str, password: str | None, **made: Any) -> None:
        self._changed = threading.Condition()
        self.answer: str | None = None
        self.ended = False
        self.heard: list[tuple[str, bytes]] = []
        self._answers: dict[int, list[bool]] = {}
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv5, reconnect_on_failure=False
        )
        client.username_pw_set(username, password)
        if "will" in made:
            topic, payload = made["will"]
            client.will_set(topic, payload, qos=1)
        if "tls" in made:
            client.tls_set_context(made["tls"])
        client.on_connect = lambda _c, _u, _f, code, _p: self._note(lambda: setattr(self, "answer", str(code)))
        client.on_disconnect = lambda _c, _u, _f, _code, _p: self._note(lambda: setattr(self, "ended", True))
        client.on_subscribe = lambda _c, _u, mid, codes, _p: self._note(
            lambda: self._answers.update({mid: [not code.is_failure for code in codes]})
        )
        client.on_publish = lambda _c, _u, mid, code, _p: self._note(
            lambda: self._answers.update({mid: [not code.is_failure]})
        )
        client.on_message = lambda _c, _u, message: self._note(
            lambda: self.heard.append((message.topic, bytes(message.payload)))
        )
        self.client = client
        self._port = port

    def __enter__(self) -> Self:
        self.client.connect("127.0.0.1", self._port)
        self.client.loop_start()
        self.wait(lambda: self.answer is not None or self.ended)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    @property
    def let_in(self) -> bool:
        return self.answer == "Success"

    def may_publish(self, topic: str, payload: bytes = b"x", *, retain: bool = False) -> bool:
        """Whether the broker takes a message to this topic."""
        return self._answered(self.client.publish(topic, payload, qos=1, retain=retain).mid)

    def may_subscribe(self, topic: str) -> bool:
        """Whether the broker grants this subscription."""
        mid = self.client.subscribe(topic, qos=1)[1]
        assert mid is not None
        return self._answered(mid)

    def has_heard(self, topic: str, payload: bytes) -> bool:
        return (topic, payload) in self.heard

    def wait(self, condition: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, _PATIENCE_S), "the broker did not answer"

    def _answered(self, mid: int) -> bool:
        self.wait(lambda: mid in self._answers or self.ended)
        return all(self._answers.get(mid, [False]))

    def _note(self, note: Callable[[], object]) -> None:
        with self._changed:
            note()
            self._changed.notify_all()
