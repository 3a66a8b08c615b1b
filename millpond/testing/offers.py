"""A customer's offers, and in words why there is none."""

from collections.abc import Callable, Iterable
from typing import Any

_MOST_TOLD = 3


class Offers(list[dict[str, Any]]):
    """The offers that can be accepted now. When there is none, `why_none` says why, and pytest shows it."""

    def __init__(self, offers: Iterable[dict[str, Any]], explain: Callable[[], str]) -> None:
        super().__init__(offers)
        self._explain = explain

    @property
    def why_none(self) -> str:
        """Why nothing is offered, as the platform decided it; empty when something is."""
        return "" if self else self._explain()

    def __repr__(self) -> str:
        return list.__repr__(self) if self else f"[] (no offer: {self.why_none})"


def tell_decisions(decisions: list[dict[str, Any]]) -> str:
    """The newest decision on each need, newest first, as an operator sees them."""
    newest: dict[tuple[str, str], dict[str, Any]] = {}
    for decision in decisions:
        newest.setdefault((decision["candidates"][0]["serial"], decision["sku"]), decision)
    told = [f"{serial}, {sku}: {_tell(decision)}" for (serial, sku), decision in newest.items()]
    if not told:
        return "nothing was decided: no part is near its end, or run_forecasts() and issue_offers() have not run since"
    more = f"; and {len(told) - _MOST_TOLD} more" if len(told) > _MOST_TOLD else ""
    return "; ".join(told[:_MOST_TOLD]) + more


def _tell(decision: dict[str, Any]) -> str:
    if decision["outcome"] == "issued":
        return f"the offer {decision['offer_id']} was made on {decision['decided_at'][:10]} and is not open any more"
    why: str = next(gate["why"] for gate in decision["gates"] if gate["gate"] == decision["failed_gate"])
    return why
