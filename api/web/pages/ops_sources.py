"""`/ops/sources`: who sends events, and what came from each in the last day."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.auth import Role
from api.edge import At, Reads
from api.told.sources import show_sources
from api.web.session import require_caller
from api.web.view import make_english_view

router = APIRouter(prefix="/ops/sources", include_in_schema=False)


@router.get("")
def get_sources_page(request: Request, reads: Reads, at: At) -> Response:
    """Every source with its figures and its keys."""
    require_caller(request, Role.OPERATOR)
    with reads.connection() as conn:
        sources = show_sources(conn, at)
    return make_english_view(request).render("ops_sources.html", sources=sources)
