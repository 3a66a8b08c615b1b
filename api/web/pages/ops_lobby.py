"""`/ops/lobby`: devices that speak and are not registered, and the operator's word about each."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from api.auth import Role
from api.edge import EdgeDep, Reads
from api.models import Out
from api.paging import Cursor, cut_page, decode_time_cursor, encode_cursor
from api.told.lobby import LobbyRuleOut, show_unknown, show_waiting
from api.web.session import FormKey, SameOrigin, make_page_write, require_caller
from api.web.view import make_english_view
from devices.store import select_metrics
from ingest.formats.shipped import language_named
from ingest.lobby.admission import (
    As,
    admit_unknown,
    end_rule,
    forget_unknown,
    make_rule,
    refuse_unknown,
    require_unknown,
    suggest_serial,
)
from ingest.lobby.guess import guess_model
from ingest.lobby.nouns import LobbyState
from ingest.lobby.store import count_lobby, select_lobby, select_newest_waiting, select_rules
from ingest.storing.terms import Terms
from millpond.kernel.db import WriteConnection

router = APIRouter(prefix="/ops/lobby", include_in_schema=False)

_A_PAGE = 25
_NEWEST = 5
Words = Annotated[str, Form(max_length=300)]


@router.get("")
def get_lobby(
    request: Request,
    reads: Reads,
    edge: EdgeDep,
    state: LobbyState = LobbyState.WAITING,
    q: Annotated[str, Query(max_length=80)] = "",
    cursor: Cursor = None,
) -> Response:
    """Who waits, those heard of last first, each with the model that it may be; and the rules."""
    require_caller(request, Role.OPERATOR)
    search, before = q.strip().replace("\x00", ""), decode_time_cursor(cursor, str)
    with reads.connection() as conn:
        rows = select_lobby(conn, state=state, search=search, before=before, limit=_A_PAGE + 1)
        shown, following = cut_page(rows, _A_PAGE, lambda row: encode_cursor(row.last_heard_at.isoformat(), row.name))
        terms = Terms.from_settings(edge.settings)
        guessed = [(one, guess_model(conn, one, terms, messages=1)) for one in shown]
        counted, rules, models = count_lobby(conn), select_rules(conn), sorted(select_metrics(conn))
    told: dict[str, Any] = {"unknown": guessed, "counted": counted, "rules": rules, "models": models}
    more: dict[str, Any] = {"state_shown": state, "search": search, "following": following}
    return make_english_view(request).render("ops_lobby.html", **told, **more)


@router.get("/{lobby_id}")
def get_unknown(request: Request, lobby_id: str, reads: Reads, edge: EdgeDep) -> Response:
    """One of them: what it says, and the form that says what it is."""
    require_caller(request, Role.OPERATOR)
    with reads.connection() as conn:
        one = require_unknown(conn, lobby_id)
        guesses = guess_model(conn, one, Terms.from_settings(edge.settings))
        newest = [show_waiting(message) for message in select_newest_waiting(conn, one.name, _NEWEST)]
        models = sorted(select_metrics(conn))
    told: dict[str, Any] = {
        "one": one,
        "guesses": guesses,
        "newest": newest,
        "models": models,
        "serial": suggest_serial(one),
    }
    return make_english_view(request).render("ops_lobby_one.html", **told)


@router.post("/{lobby_id}/admit", dependencies=[SameOrigin])
def post_admission(
    request: Request,
    lobby_id: str,
    edge: EdgeDep,
    model: Words = "",
    serial: Words = "",
    region: Words = "",
    installed_on: Annotated[date | Literal[""], Form()] = "",
    key: FormKey = None,
) -> Response:
    """Register it, and on to its page."""
    terms = Terms.from_settings(edge.settings)
    since = datetime.combine(installed_on, time(), UTC) if installed_on else None
    what = As(model.strip(), serial.strip() or None, region.strip(), installed_at=since)
    caller = require_caller(request, Role.OPERATOR)
    write = make_page_write(request, caller, key)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        admit_unknown(conn, lobby_id, what, terms, at=write.at, by=caller.actor)
        return 200, show_unknown(require_unknown(conn, lobby_id))

    write.run(act)
    return RedirectResponse(f"/ops/lobby/{lobby_id}", 303)


@router.post("/{lobby_id}/refuse", dependencies=[SameOrigin])
def post_refusal(request: Request, lobby_id: str, key: FormKey = None) -> Response:
    """Keep nothing more of it, and back to who waits."""
    caller = require_caller(request, Role.OPERATOR)
    write = make_page_write(request, caller, key)
    write.run(lambda conn: (200, show_unknown(refuse_unknown(conn, lobby_id, at=write.at, by=caller.actor))))
    return RedirectResponse("/ops/lobby", 303)


@router.post("/{lobby_id}/forget", dependencies=[SameOrigin])
def post_forgetting(request: Request, lobby_id: str, key: FormKey = None) -> Response:
    """Delete it and what waited of it, and back to who waits."""
    caller = require_caller(request, Role.OPERATOR)
    write = make_page_write(request, caller, key)
    write.run(lambda conn: (200, show_unknown(forget_unknown(conn, lobby_id))))
    return RedirectResponse("/ops/lobby", 303)


@router.post("/rules/new", dependencies=[SameOrigin])
def post_rule(
    request: Request,
    edge: EdgeDep,
    format_name: Annotated[str, Form(alias="format", max_length=64)] = "",
    pattern: Words = "",
    model: Words = "",
    region: Words = "",
    key: FormKey = None,
) -> Response:
    """A rule, and back to who waits."""
    caller = require_caller(request, Role.OPERATOR)
    language = language_named(edge.settings, format_name)
    said = {"format_name": language, "pattern": pattern, "model": model, "region": region.strip()}
    write = make_page_write(request, caller, key)
    write.run(_make(lambda conn: make_rule(conn, **said, at=write.at, by=caller.actor)))
    return RedirectResponse("/ops/lobby", 303)


@router.post("/rules/{rule_id}/removal", dependencies=[SameOrigin])
def post_removal(request: Request, rule_id: str, key: FormKey = None) -> Response:
    """No such rule any more, and back to who waits."""
    caller = require_caller(request, Role.OPERATOR)
    make_page_write(request, caller, key).run(_make(lambda conn: end_rule(conn, rule_id)))
    return RedirectResponse("/ops/lobby", 303)


def _make(change: Callable[[WriteConnection], object]) -> Callable[[WriteConnection], tuple[int, Out]]:
    return lambda conn: (200, LobbyRuleOut.model_validate(change(conn)))
