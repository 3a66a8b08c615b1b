"""Global Privacy Control: a browser's `Sec-GPC: 1` counts as an objection to personalisation, at least for that one."""

from typing import Any

from fastapi import FastAPI, Request

_WELL_KNOWN: dict[str, Any] = {"gpc": True, "lastUpdate": "2026-11-28"}


def objects_by_signal(request: Request) -> bool:
    """Whether the request carries the signal. Any other value than `1` is none, as the specification says."""
    return request.headers.get("sec-gpc") == "1"


def install_gpc(app: FastAPI) -> None:
    """Serve `/.well-known/gpc.json`, which tells browsers and people that the signal is honoured here."""
    app.add_api_route("/.well-known/gpc.json", lambda: _WELL_KNOWN, include_in_schema=False)
