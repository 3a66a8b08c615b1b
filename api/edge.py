"""What endpoints ask for: the time, the pools, the caller, a write under its key. The API reads the clock only here."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from psycopg_pool import ConnectionPool

from api.auth import Caller, Proof, Role, prove_token
from api.idempotency import Answer, IdempotentWrite, WriteFunction, hash_request, require_key
from api.keys import TokenKeys
from api.metrics import Figures
from api.rates import Rates
from api.recent import Recent
from api.tries import Tries
from attribution.hold_nouns import Ceilings
from attribution.tokens import StaffKeys
from customers.identifiers import resolve_customer
from events.terms import Terms
from millpond.kernel.clock import Clock
from millpond.kernel.db import ReadConnection, WriteConnection
from millpond.kernel.errors import Unauthenticated
from millpond.kernel.settings import Settings

Check = Callable[[], str | None]
"""A health check: None when all is well, else one sentence."""


@dataclass(frozen=True, slots=True)
class KnownToken:
    """What was found out about a token: what it proves, and who that is."""

    proof: Proof
    caller: Caller


@dataclass(frozen=True, slots=True)
class Edge:
    """The real objects behind the API, given by whoever composes it."""

    settings: Settings
    clock: Clock
    reads: ConnectionPool[ReadConnection]
    writes: ConnectionPool[WriteConnection]
    token_keys: TokenKeys
    staff_keys: StaffKeys
    figures: Figures
    extra_health: Mapping[str, Check]
    known_tokens: Recent[bytes, KnownToken]
    tries: Tries
    rates: Rates
    everybodys: Recent[str, Any]

    @property
    def ceilings(self) -> Ceilings:
        """Above which totals commission waits for an operator."""
        return Ceilings(self.settings.order_ceiling_minor, self.settings.day_ceiling_minor)

    @property
    def event_terms(self) -> Terms:
        """On what terms events are taken."""
        return Terms.from_settings(self.settings)


def get_edge(request: Request) -> Edge:
    edge: Edge = request.app.state.edge
    return edge


def get_at(request: Request) -> datetime:
    """The moment of this request: the clock is read once, however often it is asked for."""
    if not hasattr(request.state, "at"):
        request.state.at = get_edge(request).clock.now()
    at: datetime = request.state.at
    return at


# FastAPI runs a function that an endpoint depends on in a thread, and that costs more than these do: they wait for
# nothing, so they are coroutines. What may wait is not.


async def _take_edge(request: Request) -> Edge:
    return get_edge(request)


async def _take_at(request: Request) -> datetime:
    return get_at(request)


EdgeDep = Annotated[Edge, Depends(_take_edge)]
At = Annotated[datetime, Depends(_take_at)]


async def _take_reads(edge: EdgeDep) -> ConnectionPool[ReadConnection]:
    return edge.reads


# Endpoints take a connection from the pool themselves: a dependency that held one while its endpoint waits for a
# thread would starve the threads that wait for a connection.
Reads = Annotated[ConnectionPool[ReadConnection], Depends(_take_reads)]

_bearer = HTTPBearer(auto_error=False, description="A token from `millpond token --role … --subject …`.")


Given = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


def get_caller(edge: EdgeDep, at: At, given: Given) -> Caller:
    """Who calls. The busiest endpoint calls this itself, in its own thread; for all others it is a dependency."""
    if given is None:
        raise Unauthenticated("this call needs a token: send it as 'Authorization: Bearer …'")
    return find_caller(edge, given.credentials, at)


def find_caller(edge: Edge, token: str, at: datetime) -> Caller:
    """The caller a token proves, with the customer whom a customer's subject names (our id, or the brand's own key).

    It is the one place where a token's subject becomes a customer. What is guaranteed: a `customer_id` is one of a
    customer who existed when this was found out and was not merged into another; without one, nobody is registered
    under the subject, and the caller owns nothing. It is found out again after `MILLPOND_TOKEN_KEEP_S`: ids are never
    used again, so the worst that a kept answer can do is to find one who was merged, or whose key ended, a little
    later. Whether the token is valid at `at` is looked at each time, and nobody is not kept: a new customer is known
    at once.
    """
    digest = hashlib.sha256(token.encode()).digest()
    known = edge.known_tokens.find(digest)
    proof = known.proof if known else prove_token(edge.token_keys, token)
    proof.require_valid(at)
    if known:
        return known.caller
    caller = _identify(edge, proof)
    if caller.customer_id or caller.role is not Role.CUSTOMER:
        edge.known_tokens.keep(digest, KnownToken(proof, caller))
    return caller


def _identify(edge: Edge, proof: Proof) -> Caller:
    if proof.role is not Role.CUSTOMER:
        return Caller(proof.role, proof.subject)
    with edge.reads.connection() as conn:
        customer_id = resolve_customer(conn, proof.subject)
    return Caller(proof.role, customer_id or proof.subject, customer_id)


CallerDep = Annotated[Caller, Depends(get_caller)]
KeyHeader = Annotated[
    str | None,
    Header(alias="Idempotency-Key", description="Any text of your own; the same key and request get the same answer."),
]


async def get_write(
    request: Request, edge: EdgeDep, at: At, caller: CallerDep, key: KeyHeader = None
) -> IdempotentWrite:
    return make_write(request, edge, at, caller, key)


def make_write(request: Request, edge: Edge, at: datetime, caller: Caller | None, key: str | None) -> IdempotentWrite:
    """The write that `request` asks for under `key`; KeyMissing without one."""
    body_sha256 = request.scope["state"]["body_sha256"]
    request_hash = hash_request(request.method, request.url.path, request.url.query, body_sha256)
    return IdempotentWrite(edge.writes, caller.actor if caller else "", require_key(key), request_hash, at)


WriteDep = Annotated[IdempotentWrite, Depends(get_write)]


async def get_device_write(request: Request, edge: EdgeDep, at: At, key: KeyHeader = None) -> IdempotentWrite:
    """The write of a device that has no token yet: its key is its own by what it says, whatever others choose."""
    write = make_write(request, edge, at, None, key)
    return replace(write, subject=f"device:{write.request_hash}")


DeviceWriteDep = Annotated[IdempotentWrite, Depends(get_device_write)]


def answer_write(write: IdempotentWrite, act: WriteFunction) -> JSONResponse:
    """Do the write once and answer; a repeated answer says so in `Idempotency-Replayed`."""
    return to_response(write.run(act))


def to_response(answer: Answer) -> JSONResponse:
    """The answer as JSON."""
    headers = {"Idempotency-Replayed": "true"} if answer.replayed else {}
    return JSONResponse(answer.body, answer.status, headers)
