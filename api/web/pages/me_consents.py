"""`/me/consents`: for what we may use what we know of a customer; one tap each, in the words that count."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from api.auth import Caller, Role
from api.edge import Reads
from api.gpc import objects_by_signal
from api.models import Out, Text
from api.reads.interests import select_interests
from api.told.consents import ConsentOut, ConsentsOut, show_consents
from api.visible.consents import find_purpose, tell_by
from api.visible.customers import own_account
from api.web.session import FormKey, SameOrigin, make_page_write, require_caller
from api.web.view import View, make_view
from customers.nouns import Basis, Customer
from customers.tags import allow_tag, object_to_tag, select_objected_tags
from millpond.kernel.db import ReadConnection, WriteConnection
from offers.consenting import say_consent, withdraw_all_consents


def _customer_only(request: Request) -> None:
    require_caller(request, Role.CUSTOMER)


router = APIRouter(prefix="/me/consents", include_in_schema=False, dependencies=[Depends(_customer_only)])
Given = Annotated[bool, Form()]
Version = Annotated[int, Form(ge=1)]
Change = Callable[[WriteConnection, Customer, View], None]


@dataclass(frozen=True, slots=True)
class Wishes:
    """All that the page shows: each purpose, the interests that count, and those that were struck out."""

    consents: list[ConsentOut]
    interests: list[str]
    struck: list[str]
    signal: bool

    @property
    def anything_on(self) -> bool:
        """Whether there is anything to turn off."""
        return any(each.holds and each.basis is not Basis.CONTRACT for each in self.consents)


@router.get("")
def get_consents(request: Request, reads: Reads) -> Response:
    """The whole page."""
    caller = require_caller(request, Role.CUSTOMER)
    with reads.connection() as conn:
        customer = own_account(conn, caller)
        return _render(request, conn, customer, "me_consents.html")


@router.post("/off", dependencies=[SameOrigin])
def post_off(request: Request, reads: Reads, key: FormKey = None) -> Response:
    """Turn everything off."""

    def act(conn: WriteConnection, customer: Customer, view: View) -> None:
        telling = tell_by(_caller(request), customer, "web", _evidence(request))
        withdraw_all_consents(conn, customer.customer_id, telling=telling, at=view.at)

    return _change(request, reads, key, act)


@router.post("/tags", dependencies=[SameOrigin])
def post_tag(
    request: Request, reads: Reads, tag: Annotated[Text, Form()], counts: Annotated[bool, Form()], key: FormKey = None
) -> Response:
    """Strike an interest out, or let it count again."""

    def act(conn: WriteConnection, customer: Customer, view: View) -> None:
        if counts:
            allow_tag(conn, customer.customer_id, tag)
        else:
            object_to_tag(conn, customer.customer_id, tag, at=view.at, source="web")

    return _change(request, reads, key, act)


@router.post("/{purpose}", dependencies=[SameOrigin])
def post_consent(
    request: Request, reads: Reads, purpose: str, given: Given, version: Version, key: FormKey = None
) -> Response:
    """Turn one purpose on or off."""

    def act(conn: WriteConnection, customer: Customer, view: View) -> None:
        telling = tell_by(_caller(request), customer, "web", _evidence(request))
        say_consent(
            conn, customer.customer_id, find_purpose(purpose), given=given, version=version, telling=telling, at=view.at
        )

    return _change(request, reads, key, act)


def _change(request: Request, reads: Reads, key: str | None, change: Change) -> Response:
    """Do it once under the form's key, and show the list as it is then."""
    caller = _caller(request)
    write = make_page_write(request, caller, key)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        customer = own_account(conn, caller)
        change(conn, customer, make_view(request, customer.locale, customer.time_zone))
        return 200, ConsentsOut(customer_id=customer.customer_id, region="", consents=[])

    write.run(act)
    if "hx-request" not in request.headers:
        return RedirectResponse("/me/consents", 303)
    with reads.connection() as conn:
        return _render(request, conn, own_account(conn, caller), "consents.html")


def _render(request: Request, conn: ReadConnection, customer: Customer, template: str) -> Response:
    view = make_view(request, customer.locale, customer.time_zone)
    struck = select_objected_tags(conn, [customer.customer_id])[customer.customer_id]
    wishes = Wishes(
        show_consents(conn, customer, view.speech.language, view.at).consents,
        select_interests(conn, customer.customer_id, at=view.at),
        sorted(struck),
        objects_by_signal(request),
    )
    return view.render(template, wishes=wishes)


def _caller(request: Request) -> Caller:
    return require_caller(request, Role.CUSTOMER)


def _evidence(request: Request) -> dict[str, str]:
    """What proves it: the request in our log, and in which language they read the words."""
    return {"request": request.scope["state"]["request_id"], "language": make_view(request).speech.language}
