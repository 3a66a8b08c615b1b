"""Rules that more than one trigger has."""

from catalogue.nouns import Product
from customers.nouns import Customer, Purpose
from offers.nouns import Gate, GateName
from offers.verdict import Facts


def customer_known(customer: Customer | None) -> Gate:
    """There is somebody to make an offer to."""
    why = f"the device belongs to {customer.customer_id}" if customer else "the device belongs to nobody we know"
    return Gate(GateName.CUSTOMER_KNOWN, customer is not None, why)


def consented(customer: Customer | None, consents: frozenset[Purpose], needs: frozenset[Purpose]) -> Gate:
    """The customer agrees to all that the offer needs: to what it is concluded from, and to being shown it."""
    if customer is None:
        return Gate(GateName.CONSENTED, True, "there is nobody to ask")
    if refused := sorted(needs - consents):
        return Gate(GateName.CONSENTED, False, f"the customer does not agree to {' and '.join(refused)}")
    return Gate(GateName.CONSENTED, True, f"the customer agrees to {' and '.join(sorted(needs))}")


def no_open_offer(facts: Facts) -> Gate:
    """One offer at a time of one thing."""
    why = f"offer {facts.open_offer} is open" if facts.open_offer else "no offer is open for it"
    return Gate(GateName.NO_OPEN_OFFER, facts.open_offer is None, why)


def not_answered(facts: Facts, *, needed: bool) -> Gate:
    """A no is for good, and so is silence where the offer was an extra; what is `needed` stays on offer."""
    if facts.last_answer is None or facts.last_answer_at is None:
        return Gate(GateName.NOT_ANSWERED, True, "no earlier offer of this was declined or ran out")
    said = f"an offer of this was {facts.last_answer} on {facts.last_answer_at.date()}"
    if needed and facts.ran_out:
        return Gate(GateName.NOT_ANSWERED, True, f"{said}: it is made again at the plain price")
    return Gate(GateName.NOT_ANSWERED, False, f"{said}: it is not made again")


def compatible(facts: Facts) -> Gate:
    """Nothing is offered that the graph says does not fit."""
    why = f"it does not fit: {facts.incompatible}" if facts.incompatible else "nothing is known against it"
    return Gate(GateName.COMPATIBLE, facts.incompatible is None, why)


def price_known(product: Product | None) -> Gate:
    """The catalogue has the product, and with it a price."""
    why = f"{product.price.amount_minor} {product.price.currency}" if product else "the product is not in the catalogue"
    return Gate(GateName.PRICE_KNOWN, product is not None, why)
