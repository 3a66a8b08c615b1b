"""Alive, ready, and in numbers."""

from fastapi import APIRouter, FastAPI
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST

from api.edge import EdgeDep
from api.models import Out
from api.readiness import check_readiness

router = APIRouter(tags=["health"])


class Alive(Out):
    """This process runs."""

    status: str


_ALIVE = Alive(status="alive").model_dump_json().encode()


class LineOut(Out):
    """One check of readiness."""

    check: str
    ok: bool
    detail: str


class Readiness(Out):
    """`ready` only when every check is green."""

    status: str
    checks: list[LineOut]


# A coroutine, against our habit: there is nothing to wait for, and a thread would cost more than the answer.
async def get_health() -> Response:
    """Alive; asks nobody else."""
    return Response(_ALIVE, media_type="application/json")


def install_health(app: FastAPI) -> None:
    """Add the calls. /healthz stands in the application itself: the look through an included router costs as much."""
    app.add_api_route("/healthz", get_health, response_model=Alive, tags=["health"])
    app.include_router(router)


@router.get("/readyz", response_model=Readiness, responses={503: {"model": Readiness}})
def get_readiness(edge: EdgeDep) -> JSONResponse:
    """Really able to serve: the database answers, its schema is current, and ingest is connected and alive."""
    lines = check_readiness(edge)
    ready = all(line.ok for line in lines)
    answer = Readiness(
        status="ready" if ready else "not ready", checks=[LineOut.model_validate(line) for line in lines]
    )
    return JSONResponse(answer.model_dump(), 200 if ready else 503, {} if ready else {"Retry-After": "2"})


@router.get("/metrics", response_class=Response)
def get_metrics(edge: EdgeDep) -> Response:
    """Numbers in Prometheus' text format."""
    return Response(edge.figures.page(), media_type=CONTENT_TYPE_LATEST)
