"""All pages and static files put onto the application."""

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from api.web.pages import (
    docs,
    me,
    me_consents,
    ops,
    ops_audit,
    ops_customers,
    ops_dam,
    ops_device,
    ops_holds,
    ops_lobby,
    ops_profiles,
    ops_quarantine,
    ops_segments,
    ops_sources,
    scan,
    sign_in,
    staff,
)
from api.web.session import SignInNeeded, send_to_sign_in
from api.web.view import render_problem

_PAGES = (
    sign_in,
    me,
    me_consents,
    scan,
    staff,
    ops,
    ops_audit,
    ops_customers,
    ops_dam,
    ops_device,
    ops_holds,
    ops_lobby,
    ops_profiles,
    ops_quarantine,
    ops_segments,
    ops_sources,
    docs,
)
ROUTERS = tuple(page.router for page in _PAGES)


def install_pages(app: FastAPI) -> None:
    """Add the pages to `app`."""
    app.mount("/static", StaticFiles(packages=[("api.web", "static")]), name="static")
    app.add_exception_handler(SignInNeeded, send_to_sign_in)
    app.state.render_problem = render_problem
    for router in ROUTERS:
        app.include_router(router)
