"""Writes who looked at whom before they are answered: what could not be written is not shown."""

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.edge import get_at, get_edge
from api.visible.looks import LOOKS, Looks
from customers.audit.entries import record_audit_of


class RecordLooks:
    """Records the looks of each request that reads; who changes something records that with the change."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        looks: Looks = {}
        LOOKS.set(looks)

        async def send_recorded(message: Message) -> None:
            if looks:
                taken = dict(looks)
                looks.clear()  # An answer that says that it could not be written shows nobody.
                await run_sync(_record, Request(scope), taken)
            await send(message)

        await self._app(scope, receive, send_recorded)


def _record(request: Request, looks: Looks) -> None:
    call = f"{request.method} {getattr(request.scope.get('route'), 'path', '')}"
    with get_edge(request).writes.connection() as conn, conn.transaction():
        for (actor, because), customer_ids in looks.items():
            record_audit_of(
                conn,
                actor=actor,
                action="saw",
                customer_ids=list(customer_ids),
                because=because,
                detail={"call": call},
                at=get_at(request),
            )
