"""The connection that publishes: it never waits for itself."""

import threading

from pydantic import SecretStr

from millpond.kernel.settings import Settings
from outward.connection import BrokerLink

MANY = 20_000


def test_many_messages_are_confirmed_while_others_are_still_being_published(own_broker: str) -> None:
    address = Settings(broker_url=SecretStr(own_broker)).broker_address()
    done = threading.Event()

    def publish() -> None:
        with BrokerLink(address, "test") as link:
            link.publish((f"told/{number % 50}", b"x") for number in range(MANY))
        done.set()

    threading.Thread(target=publish, daemon=True).start()
    assert done.wait(90)
