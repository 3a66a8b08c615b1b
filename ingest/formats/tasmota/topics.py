"""Tasmota's FullTopic: in which order prefix and topic stand, which each household may set otherwise."""

import re
from dataclasses import dataclass
from functools import cache

_TOKENS = {"%topic%": "topic", "%id%": "id", "%hostname%": "hostname"}
_PREFIXES = ("tele", "stat")


@dataclass(frozen=True, slots=True)
class TasmotaTopic:
    """Who speaks, with which prefix (`tele` by itself, `stat` as an answer), and what about."""

    device: str
    prefix: str
    about: str


def filters_of(full_topic: str) -> list[str]:
    """The topic filters of all that devices with this FullTopic publish."""
    pattern = full_topic.strip("/")
    for token in _TOKENS:
        pattern = pattern.replace(token, "+")
    return [f"{pattern.replace('%prefix%', prefix)}/+" for prefix in _PREFIXES]


def read_topic(topic: str, full_topics: tuple[str, ...]) -> TasmotaTopic | None:
    """A topic by the first FullTopic that it has; None when it has none of them."""
    for full_topic in full_topics:
        if match := _compiled(full_topic).fullmatch(topic):
            found = match.groupdict()
            device = found.get("topic") or found.get("id") or found.get("hostname") or ""
            return TasmotaTopic(device, found["prefix"], found["about"])
    return None


@cache
def _compiled(full_topic: str) -> re.Pattern[str]:
    pattern = re.escape(full_topic.strip("/"))
    for token, name in _TOKENS.items():
        pattern = pattern.replace(re.escape(token), f"(?P<{name}>[^/]*)", 1)
    return re.compile(
        pattern.replace(re.escape("%prefix%"), "(?P<prefix>tele|stat)", 1) + "/(?P<about>[^/]+)", re.DOTALL
    )
