"""Two taps at once, on a clock that goes on: the second is told what the first one did."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

from attribution.tokens import issue_badge_token
from customers.accounts import register_customer
from tests.api.world import NOW, World


class TickingClock:
    """Every look is a microsecond later than the one before."""

    def __init__(self) -> None:
        self._looks = count()

    def now(self) -> datetime:
        return NOW + timedelta(microseconds=next(self._looks))


def test_two_taps_on_a_code_bind_once_and_are_both_told_to_whom(world: World) -> None:
    world.app.state.edge = replace(world.app.state.edge, clock=TickingClock())
    token = issue_badge_token(world.keys, world.mina)
    with world.connect() as conn, ThreadPoolExecutor(2) as taps:
        for _ in range(40):
            customer = register_customer(conn, name="Cho", at=NOW)
            start = threading.Barrier(2)

            def tap(
                key: dict[str, str], who: str = customer.customer_id, start: threading.Barrier = start
            ) -> tuple[int, str]:
                phone = world.client("customer", who)
                start.wait()
                answer = phone.post("/v1/bindings", json={"token": token}, headers=key)
                return answer.status_code, answer.json()["binding_id"]

            (first, bound), (second, told) = sorted(taps.map(tap, [world.key(), world.key()]))
            assert (first, second, bound) == (200, 201, told)
