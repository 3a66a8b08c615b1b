"""Wrong tries at what anybody may try without a token: when somebody made so many, they wait before the next."""

import ipaddress
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from prometheus_client import Counter

from millpond.kernel.clock import monotonic
from millpond.kernel.errors import MillpondError, TooManyTries

_MINUTE_S = 60.0
_ADDRESSES_REMEMBERED = 100_000
_IN_ALL = "all"
_WRONG = Counter("millpond_provision_wrong_tries", "First contacts that proved nothing.")
_REFUSED = Counter("millpond_provision_refused_tries", "First contacts that have to wait, by whose bound.", ["bound"])
_REFUSED_OF = {bound: _REFUSED.labels(bound) for bound in ("address", "all")}


@dataclass(slots=True)
class _Left:
    """How many wrong tries somebody has left as of a moment of the machine's clock."""

    tries: float
    at_s: float


class Tries:
    """So many wrong tries a minute for an address, and for all addresses together; 0 is no limit. Threads may share it.

    All are there at first and grow back evenly. It counts for this process alone.
    """

    def __init__(self, of_address: int, in_all: int, now: Callable[[], float] = monotonic) -> None:
        self._of_address, self._in_all, self._now = of_address, in_all, now
        self._left: OrderedDict[str, _Left] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def counted(self, address: str) -> Iterator[None]:
        """A try, which is wrong when it ends with an error of ours. Raises TooManyTries in its place beyond a bound.

        It is counted before it is made, so that many at once count too, and given back when it was right.
        """
        bounds = [(_IN_ALL, self._in_all), (_network(address), self._of_address)]
        self._take(bounds)
        try:
            yield
        except MillpondError:
            _WRONG.inc()
            raise
        except BaseException:
            self._give_back(bounds)
            raise
        self._give_back(bounds)

    def _take(self, bounds: list[tuple[str, int]]) -> None:
        with self._lock:
            found = [(who, most, self._find(who, most)) for who, most in bounds if most]
            for who, most, left in found:
                if left.tries < 1:
                    _REFUSED_OF["all" if who == _IN_ALL else "address"].inc()
                    wait_s = (1 - left.tries) * _MINUTE_S / most
                    raise TooManyTries("too many wrong tries: wait a little before the next", retry_after_s=wait_s)
            for _, _, left in found:
                left.tries -= 1

    def _give_back(self, bounds: list[tuple[str, int]]) -> None:
        with self._lock:
            for who, most in bounds:
                self._find(who, most).tries += 1

    def _find(self, who: str, most: int) -> _Left:
        now_s = self._now()
        left = self._left.setdefault(who, _Left(most, now_s))
        left.tries = min(most, left.tries + (now_s - left.at_s) * most / _MINUTE_S)
        left.at_s = now_s
        self._left.move_to_end(who)
        if len(self._left) > _ADDRESSES_REMEMBERED:
            self._left.popitem(last=False)
        return left


def _network(address: str) -> str:
    """An address as one caller: of IPv6 the network, since whoever has one has all of its addresses."""
    with suppress(ValueError):
        if ipaddress.ip_address(address).version == 6:
            return str(ipaddress.ip_network(f"{address}/64", strict=False))
    return address
