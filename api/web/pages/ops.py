"""`/ops`: the operator's overview, fleet and forecasts."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api.auth import Role
from api.edge import At, EdgeDep, Reads
from api.paging import Cursor, cut_page, decode_cursor, decode_time_cursor, encode_cursor
from api.readiness import Line, check_readiness
from api.reads.fleet import select_devices_in_doubt, select_doubtful, select_fleet, select_soonest
from api.reads.incoming import select_drops, select_ingest_minutes, select_ingest_tally
from api.reads.totals import select_job_runs
from api.web.allowance_words import allowance_words
from api.web.charts import build_ingest_chart
from api.web.doubt_words import doubt_words
from api.web.job_words import job_words
from api.web.session import require_caller
from api.web.view import make_english_view
from attribution.holds import count_waiting_holds
from attribution.statements.totals import select_ledger_totals
from ingest.lobby.store import LobbyCount, count_lobby
from ingest.workbench.alarm import RefusalRate, check_rate
from ingest.workbench.store import select_refused_items
from offers.nouns import OfferState
from offers.store import select_offer_counts

router = APIRouter(prefix="/ops", include_in_schema=False)

_A_PAGE = 25
_DROPS_SHOWN = _DOUBTS_SHOWN = timedelta(days=7)


@router.get("")
def get_overview(request: Request, reads: Reads, edge: EdgeDep, at: At) -> Response:
    """Everything at a glance."""
    require_caller(request, Role.OPERATOR)
    with reads.connection() as conn:
        soonest, refused = select_soonest(conn, at=at, limit=6), select_refused_items(conn, limit=4)
        ledger, runs = select_ledger_totals(conn), select_job_runs(conn)
        counts, drops = select_offer_counts(conn), select_drops(conn, since=at - _DROPS_SHOWN)
        waiting, doubts = count_waiting_holds(conn), select_devices_in_doubt(conn, since=at - _DOUBTS_SHOWN)
    offers = [(state.value, counts.get(state, 0)) for state in OfferState]
    view = make_english_view(request)
    return view.render(
        "ops.html",
        live=_live(reads, edge, at),
        soonest=soonest,
        refused=refused,
        drops=drops,
        ledger=ledger,
        waiting=waiting,
        runs=runs,
        offers=offers,
        doubts=doubts,
        job_words=job_words,
        doubt_words=doubt_words,
        allowance_words=allowance_words,
    )


@router.get("/live")
def get_live(request: Request, reads: Reads, edge: EdgeDep, at: At) -> Response:
    """The part of the overview that renews itself."""
    require_caller(request, Role.OPERATOR)
    return make_english_view(request).render("ops_live.html", live=_live(reads, edge, at))


@router.get("/fleet")
def get_fleet(
    request: Request, reads: Reads, at: At, q: Annotated[str, Query(max_length=80)] = "", cursor: Cursor = None
) -> Response:
    """Devices by search, a page at a time."""
    require_caller(request, Role.OPERATOR)
    after = decode_cursor(cursor, int)[0] if cursor else 0
    search = q.strip().replace("\x00", "")
    with reads.connection() as conn:
        rows = select_fleet(conn, at, search=search, after=after, limit=_A_PAGE + 1)
    shown, following = cut_page(rows, _A_PAGE, lambda row: encode_cursor(row.device_id))
    return make_english_view(request).render("ops_fleet.html", devices=shown, following=following, search=search)


@router.get("/forecasts")
def get_forecasts(request: Request, reads: Reads, at: At, cursor: Cursor = None) -> Response:
    """What is used up next, soonest first, and what cannot be told because its readings are in doubt."""
    require_caller(request, Role.OPERATOR)
    with reads.connection() as conn:
        rows = select_soonest(conn, at=at, limit=_A_PAGE + 1, after=decode_time_cursor(cursor, int))
        doubtful = [] if cursor else select_doubtful(conn, at=at)
    shown, following = cut_page(
        rows, _A_PAGE, lambda row: encode_cursor(row.depletes_p50.isoformat(), row.installation_id)
    )
    return make_english_view(request).render("ops_forecasts.html", due=shown, following=following, doubtful=doubtful)


def _live(reads: Reads, edge: EdgeDep, at: datetime) -> dict[str, object]:
    with reads.connection() as conn:
        rate = check_rate(conn, edge.settings.quarantine_alarm_items_per_h, at)
        lobby = count_lobby(conn)
        tallies: dict[str, object] = {
            "lobby": lobby,
            "ingest": select_ingest_tally(conn),
            "totals": edge.figures.totals(),
        }
        chart = build_ingest_chart(select_ingest_minutes(conn))
    return tallies | {
        "chart": chart,
        "checks": [*check_readiness(edge), *_alarms(rate, lobby, edge.settings.lobby_devices_max)],
    }


def _alarms(rate: RefusalRate, lobby: LobbyCount, devices_max: int) -> list[Line]:
    """What somebody should look at, while the platform is ready all the same."""
    lines = [Line("quarantine", False, f"{rate.sentence}: see the reasons below")] if rate.is_alarming else []
    if 2 * lobby.waiting >= devices_max:
        lines.append(Line("lobby", False, f"{lobby.waiting:,} unknown devices wait, {devices_max:,} may"))
    return lines
