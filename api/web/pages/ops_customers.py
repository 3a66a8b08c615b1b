"""`/ops/customers` and `/ops/customers/{id}`: who customers are, and one person's story on one page."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.auth import Role
from api.edge import At, Reads
from api.reads.households import select_household
from api.visible.looks import note_looks
from api.visible.roles import require_page
from api.visible.timeline import visible_journey
from api.web.session import require_caller
from api.web.view import make_view
from attribution.bindings import binding_at
from attribution.people import select_staff_member
from customers.accounts import search_customers
from customers.consent import consents_in_force
from dam.person.summary import read_person
from dam.person.timeline import Kind, select_timeline

router = APIRouter(prefix="/ops/customers", include_in_schema=False)
_SHOWN = 100


@router.get("")
def get_customers(request: Request, reads: Reads, q: str = "") -> Response:
    """Customers whose name, id or key begins so."""
    caller = require_caller(request, Role.OPERATOR)
    require_page(caller, Role.OPERATOR)
    with reads.connection() as conn:
        found = search_customers(conn, q.strip()[:100], limit=_SHOWN) if q.strip() else []
    note_looks(caller, found)
    return make_view(request).render("ops_customers.html", q=q, found=found, most=_SHOWN)


@router.get("/{customer_id}")
def get_customer(customer_id: str, request: Request, reads: Reads, at: At, only: str = "") -> Response:
    """One person."""
    caller = require_caller(request, Role.OPERATOR)
    with reads.connection() as conn:
        customer, kinds = visible_journey(conn, caller, customer_id, at)
        chosen = [kind for kind in kinds if only in ("", kind)]
        line = select_timeline(conn, customer.customer_id, at=at, kinds=chosen, limit=_SHOWN)
        bound = binding_at(conn, customer.customer_id, at)
        shown: dict[str, Any] = {
            "customer": customer,
            "home": select_household(conn, customer.customer_id, at),
            "bound_to": select_staff_member(conn, bound.staff_id) if bound else None,
            "agrees": sorted(consents_in_force(conn, [customer.customer_id], at)[customer.customer_id]),
            "person": read_person(conn, customer.customer_id, at),
            "line": line,
            "only": only,
            "kinds": list(Kind),
            "most": _SHOWN,
        }
    return make_view(request).render("ops_customer.html", **shown)
