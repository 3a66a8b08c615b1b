"""`/`, `/sign-in` and `/sign-out`: signing in and out of the pages, by a pasted token or a link with one."""

import hashlib
from datetime import datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from api.auth import Caller, Role, read_token
from api.edge import At, Edge, EdgeDep, find_caller, get_edge
from api.visible.customers import find_own_account
from api.web.session import SameOrigin
from api.web.view import COOKIE, make_view, remember_language
from attribution.people import select_staff_member
from millpond.kernel.db import ReadConnection
from millpond.kernel.errors import InvalidInput, Unauthenticated

router = APIRouter(include_in_schema=False)

_PENDING, _PENDING_S = "millpond_sign_in", 600
HOME = {Role.CUSTOMER: "/me", Role.STAFF: "/staff", Role.OPERATOR: "/ops"}


@router.get("/")
def get_start(request: Request) -> Response:
    """Lead to one's own page, or to sign in."""
    caller = make_view(request).caller
    return RedirectResponse(HOME[caller.role] if caller else "/sign-in", 303)


@router.get("/sign-in")
def get_sign_in(request: Request, edge: EdgeDep, at: At, token: str = "", next: str = "/") -> Response:
    """The form; and for a link with a token, the question whether to sign in as whom it names.

    A link never signs in by itself: anyone can make somebody follow one. Its token moves into a cookie that only the
    question reads, so that it stays in no history.
    """
    if token:
        return _ask_later(request, edge, at, token, next)
    waiting = request.cookies.get(_PENDING)
    caller = _try_to_read(edge, waiting, at) if waiting else None
    if waiting is None or caller is None:
        return make_view(request).render("sign_in.html", next=_own_path(next), wrong=None)
    return _ask(request, caller, waiting, next)


@router.post("/sign-in", dependencies=[SameOrigin])
def post_sign_in(
    request: Request,
    edge: EdgeDep,
    at: At,
    token: Annotated[str, Form()] = "",
    link: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",
) -> Response:
    """Sign in with a pasted token, or with the one of a link: the very one that the page asked about."""
    if not link:
        return _sign_in(request, edge, at, token.strip(), next)
    waiting = request.cookies.get(_PENDING, "")
    if _mark(waiting) != link:
        raise InvalidInput("another link was opened meanwhile: open the one you want again")
    return _sign_in(request, edge, at, waiting, next)


@router.post("/sign-out", dependencies=[SameOrigin])
def post_sign_out() -> Response:
    """Forget the token. Only a form of ours does it: a link, or a picture of another site, does not."""
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(COOKIE)
    return response


def _ask_later(request: Request, edge: Edge, at: datetime, token: str, target: str) -> Response:
    """Send the browser on to the page that asks. The address of a redirect is kept in no browser's history."""
    try:
        read_token(edge.token_keys, token, at)
    except Unauthenticated as error:
        return make_view(request).render("sign_in.html", 401, next=_own_path(target), wrong=str(error))
    response = RedirectResponse(f"/sign-in?next={quote(_own_path(target), safe='')}", 303)
    remember_language(request, response)
    _set(response, edge, _PENDING, token, path="/sign-in", max_age=_PENDING_S)
    return response


def _ask(request: Request, caller: Caller, waiting: str, target: str) -> Response:
    view = make_view(request)
    with get_edge(request).reads.connection() as conn:
        names = {who: _name(conn, who) for who in (caller, view.caller) if who is not None}
    signed_in = names[view.caller] if view.caller and view.caller != caller else None
    return view.render(
        "sign_in_ask.html",
        next=_own_path(target),
        link=_mark(waiting),
        role=caller.role,
        who=names[caller],
        signed_in=signed_in,
    )


def _name(conn: ReadConnection, caller: Caller) -> str:
    """The caller's name; for an operator, and for who has no account, the subject of the token."""
    staff = select_staff_member(conn, caller.subject) if caller.role is Role.STAFF else None
    person = staff or find_own_account(conn, caller)
    return person.name if person else caller.subject


def _mark(token: str) -> str:
    """A short digest of a token: by it a form says which token the page asked about, without holding the token."""
    return hashlib.sha256(token.encode()).hexdigest()[:16]


def _try_to_read(edge: Edge, token: str, at: datetime) -> Caller | None:
    try:
        return find_caller(edge, token, at)
    except Unauthenticated:
        return None


def _sign_in(request: Request, edge: Edge, at: datetime, token: str, target: str) -> Response:
    try:
        read_token(edge.token_keys, token, at)
    except Unauthenticated as error:
        return make_view(request).render("sign_in.html", 401, next=_own_path(target), wrong=str(error))
    response = RedirectResponse(_own_path(target), 303)
    remember_language(request, response)
    _set(response, edge, COOKIE, token)
    response.delete_cookie(_PENDING, path="/sign-in")
    return response


def _set(response: Response, edge: Edge, name: str, value: str, *, path: str = "/", max_age: int | None = None) -> None:
    secure = edge.settings.public_url.startswith("https:")
    response.set_cookie(name, value, max_age=max_age, path=path, httponly=True, samesite="lax", secure=secure)


def _own_path(target: str) -> str:
    """Only a path of our own: `//host`, a backslash or a control character would lead elsewhere."""
    own = target.startswith("/") and not target.startswith("//") and "\\" not in target and target.isprintable()
    return target if own else "/"
