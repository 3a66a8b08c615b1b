"""`/v1/lobby`: devices that speak and are not registered, and the operator's word about them."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import Field

from api.auth import Role
from api.edge import At, CallerDep, EdgeDep, Reads, WriteDep, answer_write
from api.models import Body, Out, Region, Text, Time
from api.paging import Cursor, Limit, Page, cut_page, decode_time_cursor, encode_cursor
from api.told.devices import DeviceOut
from api.told.lobby import AdmittedOut, GuessOut, UnknownDetail, UnknownOut, show_unknown, show_waiting
from api.visible.customers import named_customer
from api.visible.roles import require_role
from ingest.lobby.admission import (
    Admitted,
    As,
    admit_unknown,
    forget_unknown,
    refuse_unknown,
    require_unknown,
    suggest_serial,
)
from ingest.lobby.guess import guess_model
from ingest.lobby.nouns import LobbyState
from ingest.lobby.store import select_lobby, select_newest_waiting
from ingest.storing.terms import Terms
from millpond.kernel.db import WriteConnection

router = APIRouter(prefix="/v1/lobby", tags=["ingest"])

_NEWEST = 5


class Admission(Body):
    """What it is. Without `serial` it gets one from what it is called; one that is registered is what it is then."""

    model: Text
    serial: Text | None = None
    region: Region = ""
    customer_id: Text | None = None
    installed_at: Annotated[Time | None, Field(description="Since when it is in use; else since it was heard of.")] = (
        None
    )


@router.get("", response_model=Page[UnknownOut])
def get_lobby(
    reads: Reads,
    caller: CallerDep,
    state: LobbyState = LobbyState.WAITING,
    search: Annotated[str, Query(max_length=80, description="Only those in whose name this stands.")] = "",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[UnknownOut]:
    """Who speaks and is not registered, those heard of last first."""
    require_role(caller, Role.OPERATOR)
    before = decode_time_cursor(cursor, str)
    with reads.connection() as conn:
        rows = select_lobby(conn, state=state, search=search.replace("\x00", ""), before=before, limit=limit + 1)
    shown, following = cut_page(rows, limit, lambda row: encode_cursor(row.last_heard_at.isoformat(), row.name))
    return Page(items=[show_unknown(row) for row in shown], next_cursor=following)


@router.get("/{lobby_id}", response_model=UnknownDetail)
def get_unknown(lobby_id: str, reads: Reads, caller: CallerDep, edge: EdgeDep) -> UnknownDetail:
    """One of them, with its newest messages and the models that could read them."""
    require_role(caller, Role.OPERATOR)
    with reads.connection() as conn:
        unknown = require_unknown(conn, lobby_id)
        guesses = guess_model(conn, unknown, Terms.from_settings(edge.settings))
        newest = select_newest_waiting(conn, unknown.name, _NEWEST)
    return UnknownDetail(
        **show_unknown(unknown).model_dump(),
        serial=suggest_serial(unknown),
        guesses=[GuessOut.model_validate(guess) for guess in guesses],
        newest=[show_waiting(message) for message in newest],
    )


@router.post("/{lobby_id}/admit", response_model=AdmittedOut)
def post_admission(
    lobby_id: str, body: Admission, edge: EdgeDep, caller: CallerDep, write: WriteDep, at: At
) -> JSONResponse:
    """Register it, and store what waited as of when it came: the first messages at once, the others soon by ingest."""
    require_role(caller, Role.OPERATOR)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        owner = named_customer(conn, body.customer_id) if body.customer_id else None
        what = As(body.model, body.serial, body.region, owner, body.installed_at)
        terms = Terms.from_settings(edge.settings)
        return 200, _show(admit_unknown(conn, lobby_id, what, terms, at=at, by=caller.actor))

    return answer_write(write, act)


def _show(admitted: Admitted) -> AdmittedOut:
    tally = admitted.stored.tally
    return AdmittedOut(
        device=DeviceOut.model_validate(admitted.device),
        messages=admitted.stored.messages,
        stored=tally.stored,
        duplicate=tally.duplicate,
        conflict=tally.conflict,
        quarantined=tally.quarantined,
        waiting=admitted.waiting,
    )


@router.post("/{lobby_id}/refuse", response_model=UnknownOut)
def post_refusal(lobby_id: str, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """Keep nothing more of it; it is counted still, and may be admitted later."""
    require_role(caller, Role.OPERATOR)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        return 200, show_unknown(refuse_unknown(conn, lobby_id, at=at, by=caller.actor))

    return answer_write(write, act)


@router.post("/{lobby_id}/forget", response_model=UnknownOut)
def post_forgetting(lobby_id: str, caller: CallerDep, write: WriteDep) -> JSONResponse:
    """Delete it and what waited of it; the answer is what it was. If it speaks again, it waits anew."""
    require_role(caller, Role.OPERATOR)
    return answer_write(write, lambda conn: (200, show_unknown(forget_unknown(conn, lobby_id))))
