"""How many customers one identifier may be said to belong to, and how many identifiers one customer may have."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from customers.nouns import Namespace
from millpond.kernel.settings import Settings

_CUSTOMERS = {Namespace.ANONYMOUS: 5, Namespace.DEVICE: 8}
_IDENTIFIERS = {Namespace.EXTERNAL: 10, Namespace.ANONYMOUS: 500, Namespace.DEVICE: 200}
_OTHERS_CUSTOMERS, _OTHERS_IDENTIFIERS = 3, 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds by namespace; a namespace that is not named has 3 customers and 20 identifiers."""

    customers: Mapping[Namespace, int] = field(default_factory=lambda: _CUSTOMERS)
    identifiers: Mapping[Namespace, int] = field(default_factory=lambda: _IDENTIFIERS)

    def customers_max(self, namespace: Namespace) -> int:
        """Beyond so many customers an identifier is blocked: it leads to nobody any more."""
        return self.customers.get(namespace, _OTHERS_CUSTOMERS)

    def identifiers_max(self, namespace: Namespace) -> int:
        """Beyond so many of one list a customer is linked to no more of them."""
        return self.identifiers.get(namespace, _OTHERS_IDENTIFIERS)


def read_limits(settings: Settings) -> Limits:
    """The limits that the operator set."""
    return Limits(
        {Namespace(name): most for name, most in settings.identifier_customers_max.items()},
        {Namespace(name): most for name, most in settings.customer_identifiers_max.items()},
    )
