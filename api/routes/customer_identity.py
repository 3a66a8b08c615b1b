"""`/v1/customers/{customer_id}`: by what a person is known, links by hand, and two customers who are one."""

from typing import Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.auth import Role
from api.edge import At, CallerDep, EdgeDep, WriteDep, answer_write
from api.models import Body, Out, Text
from api.told.persons import MergeOut, PersonOut, tell_person
from api.visible.customers import named_customer, visible_customer
from api.visible.persons import visible_person
from api.visible.roles import require_role
from customers.audit.entries import record_audit
from customers.identity.by_hand import link_by_hand, merge_by_hand
from customers.identity.hashing import read_hashing
from customers.identity.limits import read_limits
from customers.nouns import Namespace
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import InvalidInput

router = APIRouter(prefix="/v1/customers", tags=["customers"])


class NewIdentifier(Body):
    """A name of a customer. An e-mail or a phone is kept as an HMAC alone."""

    namespace: Literal["external", "anonymous", "card", "email", "phone", "messenger", "device"]
    value: Text


class NewMerge(Body):
    """Whom the customer of the path turned out to be, too: every id of `absorbs` leads to who stays."""

    absorbs: Text
    evidence: Text | None = None


@router.get("/{customer_id}", response_model=PersonOut)
def get_customer(customer_id: str, edge: EdgeDep, caller: CallerDep, at: At) -> PersonOut:
    """A person and by what they are known; whoever looks at somebody else is written down in the audit log."""
    with edge.writes.connection() as conn, conn.transaction():
        seen = visible_person(conn, caller, customer_id, at)
        person = tell_person(conn, seen.customer, names=seen.names, merges=seen.merges)
        if seen.because is not None:
            record_audit(
                conn,
                actor=caller.actor,
                action="looked",
                customer_id=seen.customer.customer_id,
                because=seen.because,
                detail={"call": "customer"},
                at=at,
            )
    return person


@router.post("/{customer_id}/identifiers", status_code=201, response_model=PersonOut)
def post_identifier(
    customer_id: str, body: NewIdentifier, edge: EdgeDep, caller: CallerDep, write: WriteDep, at: At
) -> JSONResponse:
    """Let a name lead to a customer by hand. 409 when it leads to somebody else: merge the two, if they are one."""
    require_role(caller, Role.OPERATOR)
    namespace = Namespace(body.namespace)
    named = read_hashing(edge.settings).named(namespace, body.value)
    if named is None:
        raise InvalidInput(f"value: it is no {namespace}, or MILLPOND_IDENTIFIER_SECRET is not set")

    def act(conn: WriteConnection) -> tuple[int, Out]:
        customer = visible_customer(conn, caller, customer_id, at)
        link_by_hand(conn, customer.customer_id, named, by=caller.actor, at=at, limits=read_limits(edge.settings))
        told = tell_person(conn, customer, names=True, merges=True)
        return 201, told

    return answer_write(write, act)


@router.post("/{customer_id}/merges", status_code=201, response_model=MergeOut)
def post_merge(customer_id: str, body: NewMerge, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """Two customers turned out to be one. Nothing is moved, so an undo brings back what was."""
    require_role(caller, Role.OPERATOR)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        survivor = visible_customer(conn, caller, customer_id, at).customer_id
        absorbs, evidence = named_customer(conn, body.absorbs), {"said": body.evidence} if body.evidence else {}
        merge = merge_by_hand(conn, survivor, absorbs, evidence=evidence, by=caller.actor, at=at)
        return 201, MergeOut.model_validate(merge)

    return answer_write(write, act)
