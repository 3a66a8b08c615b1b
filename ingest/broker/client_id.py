"""Under which client id ingest keeps its session at the broker."""

import hmac

from ingest.nouns import Lane
from millpond.kernel.broker import BrokerAddress

_SUFFIX_HEX = 16


def client_id(consumer_id: str, lane: Lane, address: BrokerAddress) -> str:
    """The id of one lane's session: `{consumer_id}-{lane}`, and a suffix that only the broker's user of ingest knows.

    A broker keeps one connection a client id, and lets a newcomer with the same id end the older one, whoever that is
    (MQTT-3.1.4-2). With an id that can be guessed, any device could take ingest's session and, with a clean one, delete
    what the broker keeps for it. So the suffix is an HMAC-SHA256 under ingest's own password: stable over restarts, the
    same on every machine, and unknown to devices. Without a password there is no secret, and no suffix.
    """
    name = f"{consumer_id}-{lane.name.lower()}"
    if not address.password:
        return name
    digest = hmac.digest(address.password.encode(), b"millpond ingest session " + name.encode(), "sha256")
    return f"{name}-{digest.hex()[:_SUFFIX_HEX]}"
