"""Whose message it is, as far as its topic says: what all messages of one device or hub have in common."""

from devices.wire import PREFIX

_OURS = f"{PREFIX}/"
_LEVELS_OF_OURS, _LEVELS_OF_OTHERS = 3, 2


def shard_key(topic: str) -> str:
    """The beginning of a topic by which it is decided which of several ingests stores the message.

    Of ours that is all up to the serial. Of a hub's or maker's it is the first two levels: names of devices come second
    in most, and one process sees all that a name, or a group of Sparkplug, says.
    """
    levels = _LEVELS_OF_OURS if topic.startswith(_OURS) else _LEVELS_OF_OTHERS
    return "/".join(topic.split("/", levels)[:levels])
