"""The HTTP face of the platform, put together from what the composition root gives it."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from psycopg_pool import ConnectionPool

from api.document import KnownParameters, install_document
from api.edge import Check, Edge
from api.gpc import install_gpc
from api.keys import build_staff_keys, build_token_keys
from api.looks import RecordLooks
from api.metrics import Figures
from api.middleware import BodyLimit, Heads, Observe, RequestContext
from api.problems import PROBLEM_RESPONSES, answer_fault, install_problems
from api.rates import Rates
from api.recent import Recent
from api.routes import (
    audit,
    bindings,
    commission_holds,
    customer_consents,
    customer_data,
    customer_identity,
    customer_timeline,
    customers,
    dam,
    decisions,
    device_aliases,
    device_completeness,
    device_credentials,
    device_forecasts,
    device_models,
    device_owners,
    device_readings,
    devices,
    event_quarantine,
    health,
    lobby,
    lobby_rules,
    merges,
    offers,
    orders,
    plan,
    products,
    quarantine,
    segments,
    sources,
    staff,
    stores,
)
from api.tracking import install_tracking
from api.tries import Tries
from api.web.install import install_pages
from millpond.kernel.clock import Clock
from millpond.kernel.db import ReadConnection, WriteConnection
from millpond.kernel.language import LANGUAGES
from millpond.kernel.settings import Settings

_DESCRIPTION = """\
Telemetry in, depletion forecasts, timely offers, and credit that balances. Errors are RFC 9457 problems, lists are
paged by cursor, every write takes an `Idempotency-Key`. What a caller may not see does not exist for them (404)."""

# An address is looked for in this order, so what is asked most often stands first; the document shows them in it, too.
_ROUTES = (
    customers,
    customer_consents,
    customer_timeline,
    customer_identity,
    merges,
    devices,
    event_quarantine,
    device_owners,
    device_credentials,
    device_aliases,
    device_completeness,
    device_readings,
    device_forecasts,
    device_models,
    products,
    staff,
    commission_holds,
    bindings,
    offers,
    orders,
    decisions,
    stores,
    lobby,
    lobby_rules,
    plan,
    quarantine,
    segments,
    sources,
    dam,
    customer_data,
    audit,
)


# Some hundred bytes each; above that many callers at a time, the oldest are looked up again.
_TOKENS_KEPT = 20_000
# What is shown to everybody is counted over all orders of a month.
_EVERYBODYS_KEPT_S = 60


def create_app(
    settings: Settings,
    *,
    clock: Clock,
    read_pool: ConnectionPool[ReadConnection],
    write_pool: ConnectionPool[WriteConnection],
    extra_health: Mapping[str, Check] | None = None,
) -> FastAPI:
    """The application. It opens nothing and closes nothing: the pools stay the caller's.

    `extra_health` adds lines to /readyz, each a function that answers None or what is wrong, in a sentence. Raises
    ConfigurationError when there is no secret to check tokens with.
    """
    # A redirect to the address without its slash would be built from the Host header, which a caller writes.
    bare: dict[str, Any] = {"docs_url": None, "redoc_url": None, "openapi_url": None, "redirect_slashes": False}
    app = FastAPI(title="Millpond", version="1", description=_DESCRIPTION, **bare)
    app.state.edge = Edge(
        settings,
        clock,
        read_pool,
        write_pool,
        build_token_keys(settings),
        build_staff_keys(settings),
        Figures(read_pool, clock, keep_s=settings.metrics_keep_s, alarm_at=settings.quarantine_alarm_items_per_h),
        extra_health or {},
        Recent(keep_s=settings.token_keep_s, most=_TOKENS_KEPT),
        Tries(settings.provision_tries_per_min, settings.provision_tries_in_all_per_min),
        Rates(settings.source_events_per_s),
        everybodys=Recent(keep_s=_EVERYBODYS_KEPT_S, most=len(LANGUAGES)),
    )
    app.add_middleware(RecordLooks)
    app.add_middleware(BodyLimit, timeout_s=settings.http_body_timeout_s)
    app.add_middleware(RequestContext, on_fault=answer_fault)
    app.add_middleware(Observe)
    app.add_middleware(Heads)
    install_problems(app)
    health.install_health(app)
    install_gpc(app)
    customers.install_feed(app)
    install_tracking(app)
    for routes in _ROUTES:
        app.include_router(routes.router, responses=PROBLEM_RESPONSES, dependencies=[KnownParameters])
    install_document(app)
    install_pages(app)
    return app
