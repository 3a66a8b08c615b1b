"""Who is signed in to the pages, who may open which, and what a page's form may do."""

from typing import Annotated

from fastapi import Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from api.auth import Caller, Role
from api.edge import get_at, get_edge, make_write
from api.idempotency import IdempotentWrite
from api.problems import ForeignOrigin
from api.visible.roles import require_page
from api.web.view import make_view, sign_in_address
from millpond.kernel.errors import MillpondError


class SignInNeeded(MillpondError):
    """Nobody is signed in: the browser is sent to sign in and back."""


def require_caller(request: Request, *roles: Role) -> Caller:
    """Who is signed in, of one of `roles`; SignInNeeded for nobody, NotFound for others."""
    caller = make_view(request).caller
    if caller is None:
        raise SignInNeeded("sign in to see this page")
    require_page(caller, *roles)
    return caller


def require_same_origin(request: Request) -> None:
    """Refuse an unsafe request that a page of another site sent in the signed-in person's name.

    Every browser of today says where a request comes from; what says nothing at all is no browser, and holds no
    cookie of anyone else.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is not None and site not in ("same-origin", "none"):
        raise ForeignOrigin("this form was sent from another site")
    if site is None and origin is not None and origin.partition("://")[2] != request.headers.get("host"):
        raise ForeignOrigin("this form was sent from another site")


SameOrigin = Depends(require_same_origin)
FormKey = Annotated[str | None, Form(alias="key")]


def make_page_write(request: Request, caller: Caller, key: str | None) -> IdempotentWrite:
    """The write that a page's form asks for under its hidden key."""
    return make_write(request, get_edge(request), get_at(request), caller, key)


async def send_to_sign_in(request: Request, _error: Exception) -> Response:
    """Answers SignInNeeded; inside a page, htmx is told to go there as a whole."""
    address = sign_in_address(request)
    if "hx-request" in request.headers:
        return Response(status_code=204, headers={"HX-Redirect": "/sign-in"})
    return RedirectResponse(address, 303)
