"""`/v1/sources`: who sends events by the tracking API, and the keys by which they are known."""

from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import Field

from api.auth import Role
from api.edge import At, CallerDep, Reads, WriteDep, answer_write
from api.models import Body, Out, Text
from api.told.sources import EndedSourceKeyOut, NewSourceKeyOut, NewSourceOut, SourcesOut, show_sources
from api.visible.roles import require_role
from api.visible.sources import visible_key_id, visible_source_id
from events.nouns import Scope, SourceKind
from events.sources import end_key, issue_key, register_source
from millpond.kernel.db import WriteConnection

router = APIRouter(prefix="/v1/sources", tags=["events"])


class NewSource(Body):
    """A site, an app, a server, a till or a shop. The key of a `web` or `app` source is public: it only tells."""

    name: Text
    kind: SourceKind
    scopes: Annotated[
        tuple[Scope, ...], Field(max_length=3, description="Besides `events`, which every source may.")
    ] = ()
    origins: Annotated[
        tuple[Text, ...],
        Field(max_length=50, description="Pages that may send, as https://shop.example; without, any."),
    ] = ()


@router.post("", status_code=201, response_model=NewSourceOut)
def post_source(body: NewSource, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """Register a source, and issue its first write key, which is told once."""
    require_role(caller, Role.OPERATOR)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        source = register_source(conn, at=at, **body.model_dump())
        key = issue_key(conn, source.source_id, at=at)
        return 201, NewSourceOut(
            source_id=source.source_id,
            name=source.name,
            kind=source.kind,
            scopes=sorted(source.scopes),
            origins=list(source.origins),
            key_id=key.key_id,
            write_key=key.write_key,
        )

    return answer_write(write, act)


@router.get("", response_model=SourcesOut)
def get_sources(reads: Reads, caller: CallerDep, at: At) -> SourcesOut:
    """All sources with their keys, and what came from each in the last 24 hours."""
    require_role(caller, Role.OPERATOR)
    with reads.connection() as conn:
        return SourcesOut(items=show_sources(conn, at))


@router.post("/{source_id}/keys", status_code=201, response_model=NewSourceKeyOut)
def post_source_key(source_id: str, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """One more write key, told once. Those before stay good until you end them: give out the new one first."""
    known = visible_source_id(caller, source_id)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        key = issue_key(conn, known, at=at)
        return 201, NewSourceKeyOut(source_id=known, key_id=key.key_id, write_key=key.write_key)

    return answer_write(write, act)


@router.delete("/{source_id}/keys/{key_id}", response_model=EndedSourceKeyOut)
def delete_source_key(source_id: str, key_id: str, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """End a key: whoever still sends with it is refused from now on."""
    known, key = visible_source_id(caller, source_id), visible_key_id(caller, key_id)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        end_key(conn, known, key, at=at)
        return 200, EndedSourceKeyOut(source_id=known, key_id=key, ended_at=at)

    return answer_write(write, act)
