"""All pages put onto the application: sign-in, customer, scan, staff, operator, documentation, static files."""

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response
from starlette.staticfiles import StaticFiles

from api.web import holds, me, ops, scan, session, staff
from api.web.reference import list_calls
from api.web.view import look_in_english, render_part, render_problem

_reference = APIRouter(include_in_schema=False)


@_reference.get("/docs")
def get_docs(request: Request) -> Response:
    """The API's reference, from the same OpenAPI document that is served at /openapi.json."""
    document = request.app.openapi()
    if not hasattr(request.app.state, "reference"):
        groups = list_calls(document)
        request.app.state.reference = list(groups), render_part("docs_calls.html", groups=groups)
    tags, calls = request.app.state.reference
    return look_in_english(request).render("docs.html", document=document, tags=tags, calls=calls)


ROUTERS = (session.router, me.router, scan.router, staff.router, ops.router, holds.router, _reference)


def install_pages(app: FastAPI) -> None:
    """Add the pages to `app`."""
    app.mount("/static", StaticFiles(packages=[("api.web", "static")]), name="static")
    app.add_exception_handler(session.SignInNeeded, session.send_to_sign_in)
    app.state.render_problem = render_problem
    for router in ROUTERS:
        app.include_router(router)
