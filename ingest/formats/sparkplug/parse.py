"""Sparkplug B: births say what a node's or a device's metrics are, data often only their numbers, a will who left.

What comes before its birth, or after a message that is missing, is asked for again (a rebirth), and values whose number
nobody explained wait in quarantine: they are stored once the birth is known.
"""

from collections.abc import Iterator, Sequence

from ingest.formats.json_values import Said, say_by_time
from ingest.formats.saying import Saying
from ingest.formats.sparkplug.payload import Metric, Payload, build_rebirth
from ingest.formats.sparkplug.session import Session
from ingest.formats.sparkplug.topics import SparkplugTopic
from ingest.nouns import Ask, Rejection

_CONTROL = ("bdSeq", "Node Control/", "Device Control/")
UNDESCRIBED = "undescribed"
_BD_SEQ_MAX = 64


def say(topic: SparkplugTopic, payload: Payload, session: Session, at_ms: int, *, again: bool) -> Sequence[Saying]:
    """What a message says of the node, or of one of its devices; of both where a node leaves."""
    if topic.what == "NDEATH":
        return list(_leaving(topic, payload, session))
    if topic.what == "DDEATH":
        return [Saying(topic.identity, online=False, session=session.bd_seq)]
    follows, is_birth = session.follows(payload, again=again), topic.what in ("NBIRTH", "DBIRTH")
    values = say_by_time(topic.identity, _read(payload, session, known=follows or is_birth))
    if is_birth:
        bd_seq = _bd_seq(payload) if topic.what == "NBIRTH" else session.bd_seq
        values.append(Saying(topic.identity, online=True, session=bd_seq))
    if topic.what != "NBIRTH" and not again and not follows:
        values.append(Saying(topic.identity, asks=(Ask(topic.command, build_rebirth(at_ms)),)))
    return values


def _leaving(topic: SparkplugTopic, payload: Payload, session: Session) -> Iterator[Saying]:
    """A will of an earlier life of the node is of nobody; that of this one is its devices', too."""
    bd_seq = _bd_seq(payload)
    yield Saying(topic.identity, online=False, session=bd_seq)
    if bd_seq == session.bd_seq:
        for device in session.devices:
            yield Saying(f"{topic.node_name}/{device}", online=False, session=bd_seq)


def _bd_seq(payload: Payload) -> str:
    return str(payload.named("bdSeq") or 0)[:_BD_SEQ_MAX]


def _read(payload: Payload, session: Session, *, known: bool) -> Iterator[Said | Rejection]:
    for metric in payload.metrics:
        name, datatype = _explain(metric, session, known=known)
        if not name:
            yield _refuse(metric)
        elif not name.startswith(_CONTROL) and (value := metric.value(datatype)) is not None:
            yield Said(metric.at, name, value)


def _explain(metric: Metric, session: Session, *, known: bool) -> tuple[str, int]:
    if metric.name:
        return metric.name, session.types.get(metric.name, 0)
    name, datatype = session.names.get(metric.alias, ("", 0)) if known and metric.alias is not None else ("", 0)
    return name, datatype


def _refuse(metric: Metric) -> Rejection:
    if metric.alias is None:
        return Rejection("malformed", "a metric has neither a name nor an alias", "#")
    why = f"no birth that counts says what alias {metric.alias} stands for: a new one is asked for"
    return Rejection(UNDESCRIBED, why, f"#{metric.alias}")
