"""Signing in and out of the pages, and who may open which."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from api.auth import Caller, Role, read_token
from api.edge import At, EdgeDep, get_at, get_edge, make_write
from api.idempotency import Write
from api.problems import ForeignOrigin
from api.web.view import COOKIE, look, remember_language, sign_in_address
from millpond.kernel.errors import MillpondError, NotFound, Unauthenticated

router = APIRouter(include_in_schema=False)

HOME = {Role.CUSTOMER: "/me", Role.STAFF: "/staff", Role.OPERATOR: "/ops"}


class SignInNeeded(MillpondError):
    """Nobody is signed in: the browser is sent to sign in and back."""


def require_caller(request: Request, *roles: Role) -> Caller:
    """Who is signed in, of one of `roles`; SignInNeeded for nobody, NotFound for others."""
    caller = look(request).caller
    if caller is None:
        raise SignInNeeded("sign in to see this page")
    if caller.role not in roles:
        raise NotFound("there is no page here that you may see: sign in as someone else")
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


def make_page_write(request: Request, caller: Caller, key: str | None) -> Write:
    """The wish to write that a page's form brings under its hidden key."""
    return make_write(request, get_edge(request), get_at(request), caller, key)


async def send_to_sign_in(request: Request, error: Exception) -> Response:
    """Answers SignInNeeded; inside a page, htmx is told to go there as a whole."""
    address = sign_in_address(request)
    if "hx-request" in request.headers:
        return Response(status_code=204, headers={"HX-Redirect": "/sign-in"})
    return RedirectResponse(address, 303)


@router.get("/")
def get_start(request: Request) -> Response:
    """To one's own page, or to sign in."""
    caller = look(request).caller
    return RedirectResponse(HOME[caller.role] if caller else "/sign-in", 303)


@router.get("/sign-in")
def get_sign_in(request: Request, edge: EdgeDep, at: At, token: str = "", next: str = "/") -> Response:
    """The form, or with a token in the address: straight in."""
    if token:
        return _sign_in(request, edge, at, token, next)
    return look(request).render("sign_in.html", next=_own_path(next), wrong=None)


@router.post("/sign-in", dependencies=[SameOrigin])
def post_sign_in(
    request: Request, edge: EdgeDep, at: At, token: Annotated[str, Form()] = "", next: Annotated[str, Form()] = "/"
) -> Response:
    """Sign in with a pasted token."""
    return _sign_in(request, edge, at, token.strip(), next)


@router.post("/sign-out", dependencies=[SameOrigin])
@router.get("/sign-out")
def sign_out(request: Request) -> Response:
    """Forget the token."""
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(COOKIE)
    return response


def _sign_in(request: Request, edge: EdgeDep, at: At, token: str, target: str) -> Response:
    try:
        read_token(edge.secret, token, at)
    except Unauthenticated as error:
        return look(request).render("sign_in.html", 401, next=_own_path(target), wrong=str(error))
    response = RedirectResponse(_own_path(target), 303)
    secure = edge.settings.public_url.startswith("https:")
    remember_language(request, response)
    response.set_cookie(COOKIE, token, httponly=True, samesite="lax", secure=secure)
    return response


def _own_path(target: str) -> str:
    """Only a path of our own: `//host`, a backslash or a control character would lead elsewhere."""
    own = target.startswith("/") and not target.startswith("//") and "\\" not in target and target.isprintable()
    return target if own else "/"
