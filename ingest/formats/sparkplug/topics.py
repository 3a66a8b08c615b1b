"""Sparkplug B's topics: `spBv1.0/{group}/{what}/{edge node}`, and a device of the node behind it."""

from dataclasses import dataclass

NAMESPACE = "spBv1.0"
_OF_A_NODE = ("NBIRTH", "NDATA", "NDEATH")
_OF_A_DEVICE = ("DBIRTH", "DDATA", "DDEATH")
FILTERS = (*(f"{NAMESPACE}/+/{what}/+" for what in _OF_A_NODE), *(f"{NAMESPACE}/+/{what}/+/+" for what in _OF_A_DEVICE))


@dataclass(frozen=True, slots=True)
class SparkplugTopic:
    """Who speaks and of what. `device` is empty where the edge node speaks of itself."""

    group: str
    what: str
    node: str
    device: str = ""

    @property
    def node_name(self) -> str:
        """What the edge node is called."""
        return f"{self.group}/{self.node}"

    @property
    def identity(self) -> str:
        """What whoever is spoken of is called."""
        return f"{self.node_name}/{self.device}" if self.device else self.node_name

    @property
    def command(self) -> str:
        """Where the edge node listens."""
        return f"{NAMESPACE}/{self.group}/NCMD/{self.node}"


def read_topic(topic: str) -> SparkplugTopic | None:
    """A topic; None when it is a command, a host's state, or none at all."""
    match topic.split("/"):
        case [_, group, what, node] if what in _OF_A_NODE:
            return SparkplugTopic(group, what, node)
        case [_, group, what, node, device] if what in _OF_A_DEVICE:
            return SparkplugTopic(group, what, node, device)
        case _:
            return None
