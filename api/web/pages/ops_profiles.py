"""`/ops/profiles`: the device models that are known, the languages that are read, and one model's page."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api.auth import Role
from api.edge import EdgeDep, Reads
from api.paging import Cursor, after_id, cut_page, encode_cursor
from api.told.models import show_whole_model
from api.web.session import require_caller
from api.web.view import make_english_view
from devices.models import require_device_model, select_device_models, select_metrics_of, select_parts_of
from devices.own_files import read_own_files
from ingest.formats.shipped import installed_formats, known_formats, listened_formats

router = APIRouter(prefix="/ops/profiles", include_in_schema=False)

_A_PAGE = 50


@router.get("")
def get_profiles(
    request: Request, reads: Reads, edge: EdgeDep, q: Annotated[str, Query(max_length=80)] = "", cursor: Cursor = None
) -> Response:
    """Models by name, what is wrong with files of your own, and the languages with their topics."""
    require_caller(request, Role.OPERATOR)
    search, settings = q.strip().replace("\x00", ""), edge.settings
    with reads.connection() as conn:
        rows = select_device_models(conn, after=after_id(cursor), search=search, limit=_A_PAGE + 1)
    shown, following = cut_page(rows, _A_PAGE, lambda row: encode_cursor(row.model))
    own = read_own_files(settings.profiles_dir, settings.catalogue_dir)
    told: dict[str, Any] = {
        "models": shown,
        "search": search,
        "following": following,
        "own": own.profiles.keys(),
        "faults": [*own.faults, *installed_formats().faults],
        "formats": known_formats(settings).all,
        "listened": set(listened_formats(settings).names),
    }
    return make_english_view(request).render("ops_profiles.html", **told)


@router.get("/{model}")
def get_profile(request: Request, model: str, reads: Reads) -> Response:
    """One model: its metrics, what is used up in it, and what it speaks."""
    require_caller(request, Role.OPERATOR)
    with reads.connection() as conn:
        one = require_device_model(conn, model)
        shown = show_whole_model(one, select_metrics_of(conn, model), select_parts_of(conn, model))
    return make_english_view(request).render("ops_profile_one.html", one=shown)
