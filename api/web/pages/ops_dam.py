"""`/ops/dam`: how much of what comes in is tied to a known customer, and where it leaks."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api.auth import Role
from api.edge import At, Reads
from api.told.dam import tell_dam_report
from api.web.charts import build_dam_chart
from api.web.session import require_caller
from api.web.view import make_view
from dam.report.report import MOST_DAYS, read_report

router = APIRouter(prefix="/ops/dam", include_in_schema=False)


@router.get("")
def get_dam(request: Request, reads: Reads, at: At, days: Annotated[int, Query(ge=1, le=MOST_DAYS)] = 30) -> Response:
    """The report, in the language of whoever reads it."""
    require_caller(request, Role.OPERATOR)
    view = make_view(request)
    with reads.connection() as conn:
        report = tell_dam_report(read_report(conn, at, window=timedelta(days=days)), view.speech.language)
    return view.render("ops_dam.html", report=report, days=days, chart=build_dam_chart(report.days))
