"""Questions to whoever sent a message, such as for a birth that was not heard: the same one only so often."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator

from ingest.nouns import Ask

_REMEMBERED = 10_000
# Whoever is asked may have made its name up; no device is registered under so long a one.
_TOPIC_MAX = 1_024


class Asking:
    """When each topic was last asked on, of the last ones."""

    def __init__(self, again_s: float) -> None:
        self._again_s = again_s
        self._asked_s: OrderedDict[str, float] = OrderedDict()

    def due(self, asks: Iterable[Ask], now_s: float) -> Iterator[Ask]:
        """Those that were not asked lately, each once; `now_s` is on the monotonic clock."""
        for ask in asks:
            if len(ask.topic) > _TOPIC_MAX:
                continue
            asked_s = self._asked_s.get(ask.topic)
            if asked_s is not None and now_s - asked_s < self._again_s:
                continue
            self._asked_s[ask.topic] = now_s
            self._asked_s.move_to_end(ask.topic)
            if len(self._asked_s) > _REMEMBERED:
                self._asked_s.popitem(last=False)
            yield ask
