"""The API's OpenAPI document: built once, requiring what calls need, with an example of each body and parameter."""

import json
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from api.examples import BODIES, PARAMETERS
from api.idempotency import KEY_PATTERN
from millpond.kernel.errors import InvalidInput

_KEY = {"type": "string", "pattern": f"^{KEY_PATTERN}$", "minLength": 1, "maxLength": 200}


def install_document(app: FastAPI) -> None:
    """Serve the document at /openapi.json, as bytes that are made at the first request and kept."""
    build, kept = app.openapi, dict[str, Any]()

    def openapi() -> dict[str, Any]:
        if "document" not in kept:
            kept["document"] = _complete(build())
            kept["bytes"] = json.dumps(kept["document"], ensure_ascii=False).encode()
        document: dict[str, Any] = kept["document"]
        return document

    def get_document() -> Response:
        openapi()
        return Response(kept["bytes"], media_type="application/json")

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to another document
    app.add_api_route("/openapi.json", get_document, include_in_schema=False)


def _complete(document: dict[str, Any]) -> dict[str, Any]:
    for operation in (each for methods in document["paths"].values() for each in methods.values()):
        for parameter in operation.get("parameters", []):
            _complete_parameter(parameter)
        for content in operation.get("requestBody", {}).get("content", {}).values():
            # A body that may be left out is one of its model and null.
            for schema in content["schema"].get("anyOf", [content["schema"]]):
                name = schema.get("$ref", "").rpartition("/")[2]
                if name in BODIES:
                    content["example"] = BODIES[name]
    return document


def _complete_parameter(parameter: dict[str, Any]) -> None:
    if parameter["name"] == "Idempotency-Key":
        # A write without one is told so in a sentence of its own (400), so FastAPI believes that it is optional.
        parameter |= {"required": True, "schema": _KEY}
    if parameter["name"] in PARAMETERS:
        parameter["example"] = PARAMETERS[parameter["name"]]


async def require_known_parameters(request: Request) -> None:
    """Refuse a query parameter that the call does not have: a misspelt one would change nothing, in silence."""
    if request.scope["query_string"]:
        await run_in_threadpool(_require_known, request)


def _require_known(request: Request) -> None:
    """What there is to know is in the document, and the first who asks waits until it is made."""
    given = request.query_params.multi_items()
    route, method = request.scope["route"], request.method.lower()
    parameters = request.app.openapi()["paths"][route.path][method].get("parameters", [])
    known = [each["name"] for each in parameters if each["in"] == "query"]
    takes = f"it takes {', '.join(known)}" if known else "it takes none"
    for number, (name, _) in enumerate(given):
        if name not in known:
            raise InvalidInput(f"query {name[:60]}: this call has no such parameter, {takes}")
        if name in dict(given[:number]):
            raise InvalidInput(f"query {name}: it was given twice")


KnownParameters: Any = Depends(require_known_parameters)
