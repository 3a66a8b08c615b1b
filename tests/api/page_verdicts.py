"""For whom each page is; a new one without a line here fails a test."""

from tests.api.verdicts import EVERYBODY

SEGMENTS = (("GET", ""), ("POST", "/preview"), ("POST", "/new"))
PAGES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("GET /sign-in", "POST /sign-in", "POST /sign-out", "GET /scan", "GET /docs"), EVERYBODY),
    "GET /": (),  # It leads on to another page.
    "GET /me": ("ann",),
    "GET /ops/audit": ("operator",),
    "POST /me/offers/{offer_id}/accept": ("ann",),
    "POST /me/offers/{offer_id}/decline": ("ann",),
    "GET /me/consents": ("ann",),
    **dict.fromkeys((f"POST /me/consents/{word}" for word in ("{purpose}", "off", "tags")), ("ann",)),
    "POST /scan": ("ann",),
    **dict.fromkeys(("GET /staff", "GET /staff/code.svg", "GET /staff/code.png", "POST /staff/fresh-code"), ("mina",)),
    **dict.fromkeys(("GET /ops", "GET /ops/live", "GET /ops/fleet", "GET /ops/quarantine"), ("operator",)),
    **dict.fromkeys((f"{call} /ops/segments{end}" for call, end in SEGMENTS), ("operator",)),
    "GET /ops/devices/{serial}": ("operator",),
    **dict.fromkeys(("GET /ops/customers", "GET /ops/customers/{customer_id}"), ("operator",)),
    **dict.fromkeys(("GET /ops/profiles", "GET /ops/profiles/{model}", "GET /ops/sources"), ("operator",)),
    **dict.fromkeys(("GET /ops/quarantine/{quarantine_id}", "POST /ops/quarantine/retries"), ("operator",)),
    **dict.fromkeys((f"POST /ops/quarantine/{{quarantine_id}}/{word}" for word in ("retry", "edits")), ("operator",)),
    **dict.fromkeys(("GET /ops/lobby", "GET /ops/lobby/{lobby_id}"), ("operator",)),
    **dict.fromkeys((f"POST /ops/lobby/{{lobby_id}}/{word}" for word in ("admit", "refuse", "forget")), ("operator",)),
    **dict.fromkeys(("POST /ops/lobby/rules/new", "POST /ops/lobby/rules/{rule_id}/removal"), ("operator",)),
    **dict.fromkeys(
        ("GET /ops/forecasts", "GET /ops/holds", "GET /ops/dam", "POST /ops/holds/{order_id}/approved"), ("operator",)
    ),
}
"""For which of Ann, Mina and an operator each page is; nobody is sent to sign in first."""
