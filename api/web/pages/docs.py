"""`/docs`: the API's reference, from the same OpenAPI document that is served at /openapi.json."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.web.reference import list_calls
from api.web.view import make_english_view, render_part

router = APIRouter(prefix="/docs", include_in_schema=False)


@router.get("")
def get_docs(request: Request) -> Response:
    """Every call with its parameters, bodies and answers; the list is rendered once and kept."""
    document = request.app.openapi()
    if not hasattr(request.app.state, "reference"):
        groups = list_calls(document)
        request.app.state.reference = list(groups), render_part("docs_calls.html", groups=groups)
    tags, calls = request.app.state.reference
    return make_english_view(request).render("docs.html", document=document, tags=tags, calls=calls)
