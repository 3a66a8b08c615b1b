"""One candidate: decided, recorded, and issued, in the caller's transaction."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from attribution.nouns import Binding
from catalogue.nouns import Product
from millpond.kernel.crashpoints import crash_point
from millpond.kernel.db import WriteConnection, load_queries
from millpond.kernel.ids import DecisionId, OfferId, new_id
from offers.nouns import Candidate, Depletion, OfferState, ReasonCode, Rules, Terms, Trigger, Verdict, Withdrawal

_Q = load_queries("offers")
_REASONS = {Trigger.DEPLETION: ReasonCode.DEPLETION, Trigger.NEW_DEVICE: ReasonCode.FITS_NEW_DEVICE}


def record_decision(
    conn: WriteConnection, candidate: Candidate, product: Product | None, verdict: Verdict, *, at: datetime
) -> DecisionId:
    """Keep the verdict; a no that repeats the last one about the same thing, for the same reason, is not kept again."""
    decision_id = DecisionId(new_id("dec"))
    values = {
        "decision_id": decision_id,
        "customer_id": candidate.customer_id,
        "trigger": candidate.trigger,
        "device_id": candidate.device_id,
        "installation_id": candidate.installation_id,
        "sku": candidate.sku,
        "at": at,
        "outcome": verdict.outcome,
        "failed_gate": verdict.failed_gate,
        "candidates": Jsonb([_facts(candidate, product)]),
        "gates": Jsonb([asdict(gate) for gate in verdict.gates]),
    }
    conn.execute(_Q["insert_decision_when_changed"], values)
    return decision_id


def issue_offer(
    conn: WriteConnection,
    decision_id: DecisionId,
    candidate: Candidate,
    product: Product,
    terms: Terms,
    binding: Binding | None,
    rules: Rules,
    *,
    at: datetime,
) -> OfferId:
    """Issue the offer a decision came to. The schema allows one that is open per installation."""
    offer_id = OfferId(new_id("off"))
    promised = {"delivery_days": rules.lead.delivery_days, "in_time": terms.in_time}
    values = {
        "offer_id": offer_id,
        "decision_id": decision_id,
        "customer_id": candidate.customer_id,
        "device_id": candidate.device_id,
        "installation_id": candidate.installation_id,
        "sku": candidate.sku,
        "reason_code": _REASONS[candidate.trigger],
        "facts": Jsonb(_facts(candidate, product) | promised),
        "binding_id": binding.binding_id if binding else None,
        "credited_to": binding.staff_id if binding else None,
        "at": at,
    }
    conn.execute(_Q["insert_offer"], values | _terms(terms))
    crash_point("after-offer-before-event")
    record_event(conn, offer_id, OfferState.OPEN, at=at, actor="job")
    return offer_id


def record_event(
    conn: WriteConnection,
    offer_id: OfferId,
    state: OfferState,
    *,
    at: datetime,
    actor: str,
    reason: Withdrawal | None = None,
) -> None:
    """Keep one step of an offer's life; the schema takes each step once, and a reason of a withdrawal only."""
    values = {"offer_id": offer_id, "state": state, "at": at, "actor": actor, "reason": reason}
    conn.execute(_Q["insert_offer_event"], values)


def _terms(terms: Terms) -> dict[str, Any]:
    return {
        "list_price_minor": terms.list_price.amount_minor,
        "price_minor": terms.price.amount_minor,
        "currency": terms.price.currency,
        "valid_from": terms.valid_from,
        "reply_by": terms.reply_by,
        "valid_until": terms.valid_until,
    }


def _facts(candidate: Candidate, product: Product | None) -> dict[str, Any]:
    """What a person is shown of a candidate: names by language, dates in RFC 3339."""
    return {
        "sku": candidate.sku,
        "product": product.name if product else None,
        "serial": candidate.serial,
        "device": candidate.names,
        "device_installed_at": candidate.device_installed_at.isoformat(),
        "part": candidate.part_names,
        "depletion": _depletion(candidate.depletion) if candidate.depletion else None,
        "relation": candidate.relation,
        "evidence": candidate.evidence,
        "condition": candidate.condition,
    }


def _depletion(depletion: Depletion) -> dict[str, Any]:
    shown = asdict(depletion)
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in shown.items()}
