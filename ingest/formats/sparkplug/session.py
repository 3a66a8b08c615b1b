"""What is remembered of an edge node between its messages: its birth, what its numbers stand for, and the last seq.

The births of devices count for the session of their node alone. A message that is missing makes numbers doubtful until
the next birth: between, the node may have been born anew, with other numbers.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from devices.wire import parse_json
from ingest.formats.describing import Description
from ingest.formats.sparkplug.payload import Payload
from ingest.formats.sparkplug.topics import SparkplugTopic

_SEQS = 256
_LOST = "lost"


@dataclass(frozen=True, slots=True)
class Session:
    """What is known when a message comes.

    `birth` tells one life of the node from the next; `bd_seq` is its number, which its will has, too. `seq` is that of
    the last message, `lost` says that one is missing since the birth. `names` are of whoever the message speaks of:
    by number the name and its type, `types` by name.
    """

    birth: str = ""
    bd_seq: str = ""
    devices: tuple[str, ...] = ()
    seq: int | None = None
    lost: bool = False
    names: Mapping[int, tuple[str, int]] = field(default_factory=dict)
    types: Mapping[str, int] = field(default_factory=dict)

    def follows(self, payload: Payload, *, again: bool) -> bool:
        """Whether no message is missing before this one; what comes again was heard in its place."""
        if not self.birth or self.lost:
            return False
        return again or payload.seq is None or payload.seq in (self.seq, ((self.seq or 0) + 1) % _SEQS)


def keys_of(topic: SparkplugTopic) -> Collection[str]:
    """Where what a message must know is kept."""
    return (_node_key(topic), _seq_key(topic), _names_key(topic))


def recall(topic: SparkplugTopic, described: Mapping[str, bytes]) -> Session:
    """What is known of whoever speaks."""
    node = _read(described, _node_key(topic))
    seq = described.get(_seq_key(topic), b"").decode()
    session = Session(
        node.get("birth", ""),
        node.get("bd_seq", ""),
        tuple(node.get("devices", ())),
        int(seq) if seq.isdigit() else None,
        seq == _LOST,
    )
    told = _read(described, _names_key(topic))
    if told.get("birth") != session.birth:
        return session
    metrics = told["metrics"]
    return replace(
        session,
        names={alias: (name, datatype) for name, datatype, alias in metrics if alias is not None},
        types={name: datatype for name, datatype, _ in metrics},
    )


def describe(topic: SparkplugTopic, payload: Payload, session: Session, *, again: bool) -> Mapping[str, Description]:
    """What is to be remembered after a message."""
    match topic.what:
        case "NBIRTH":
            bd_seq = str(payload.named("bdSeq") or 0)
            born = Session(f"{bd_seq}@{_born_at(payload)}", bd_seq)
            return {**_node(topic, born), **_names(topic, payload, born), **_seq(topic, str(payload.seq or 0))}
        case "NDEATH":
            if str(payload.named("bdSeq") or 0) != session.bd_seq:
                return {}
            return {**_node(topic, replace(session, devices=())), **_seq(topic, _LOST)}
        case "DBIRTH":
            devices = tuple(dict.fromkeys([*session.devices, topic.device]))
            told = {**_node(topic, replace(session, devices=devices)), **_names(topic, payload, session)}
        case "DDEATH":
            devices = tuple(device for device in session.devices if device != topic.device)
            told = {**_node(topic, replace(session, devices=devices)), _names_key(topic): Description(b"")}
        case _:
            told = {}
    if not session.birth:
        return {}
    follows = session.follows(payload, again=again)
    return {**told, **_seq(topic, str(payload.seq or 0) if follows else _LOST)}


def _born_at(payload: Payload) -> int:
    return max((metric.at or 0 for metric in payload.metrics), default=0)


def _node(topic: SparkplugTopic, session: Session) -> Mapping[str, Description]:
    body = {"birth": session.birth, "bd_seq": session.bd_seq, "devices": session.devices}
    return {_node_key(topic): _write(topic, body)}


def _names(topic: SparkplugTopic, payload: Payload, session: Session) -> Mapping[str, Description]:
    metrics = [(metric.name, metric.datatype, metric.alias) for metric in payload.metrics if metric.name]
    return {_names_key(topic): _write(topic, {"birth": session.birth, "metrics": metrics})}


def _seq(topic: SparkplugTopic, seq: str) -> Mapping[str, Description]:
    return {_seq_key(topic): Description(seq.encode(), topic.node_name[:256])}


def _write(topic: SparkplugTopic, body: Mapping[str, Any]) -> Description:
    return Description(json.dumps(body).encode(), topic.node_name[:256])


def _read(described: Mapping[str, bytes], key: str) -> Mapping[str, Any]:
    content: Mapping[str, Any] = parse_json(described[key]) if key in described else {}
    return content


def _node_key(topic: SparkplugTopic) -> str:
    return f"node/{topic.node_name}"


def _seq_key(topic: SparkplugTopic) -> str:
    return f"seq/{topic.node_name}"


def _names_key(topic: SparkplugTopic) -> str:
    return f"names/{topic.identity}"
