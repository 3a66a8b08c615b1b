"""`/v1/dam`: what is known of people over all channels, and what leaks."""

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from api.auth import Role
from api.edge import At, CallerDep, Reads
from api.told.dam import DamReportOut, tell_dam_report
from api.visible.roles import require_role
from dam.report.report import MOST_DAYS, read_report

router = APIRouter(prefix="/v1/dam", tags=["dam"])


@router.get("/report")
def get_report(
    reads: Reads,
    caller: CallerDep,
    at: At,
    days: Annotated[int, Query(ge=1, le=MOST_DAYS, description="How many days back.")] = 30,
    language: Annotated[Literal["en", "ko", "zh"], Query(description="Of the sentences on leaks.")] = "en",
) -> DamReportOut:
    """How much of orders, events and devices is tied to a known customer, what is wrong with it, and where it leaks."""
    require_role(caller, Role.OPERATOR)
    with reads.connection() as conn:
        return tell_dam_report(read_report(conn, at, window=timedelta(days=days)), language)
