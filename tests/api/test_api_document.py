"""What the API says of itself is what it does: required keys, examples that work, and nothing taken in silence."""

import io
import json
import logging
from typing import Any

import pytest

from api.models import Body
from millpond.kernel.log import JsonFormatter
from tests.api.verdicts import VERDICTS
from tests.api.world import World


def operations(world: World) -> list[tuple[str, dict[str, Any]]]:
    paths = world.client().get("/openapi.json").json()["paths"]
    return [(f"{method.upper()} {path}", each) for path, calls in paths.items() for method, each in calls.items()]


def test_every_write_requires_its_key_and_says_how_it_looks(still_world: World) -> None:
    for call, operation in operations(still_world):
        keys = [each for each in operation.get("parameters", []) if each["name"] == "Idempotency-Key"]
        assert len(keys) == (0 if call.startswith("GET ") else 1), call
        for key in keys:
            assert key["required"] is True
            assert key["schema"]["pattern"] == "^[\\x21-\\x7e]{1,200}$"


def bodies(of: type[Body] = Body) -> dict[str, type[Body]]:
    """Every model of a body, by name."""
    found = {each.__name__: each for each in of.__subclasses__()}
    for each in list(found.values()):
        found |= bodies(each)
    return found


def test_every_body_and_parameter_has_an_example_that_is_accepted(still_world: World) -> None:
    models = bodies()
    for call, operation in operations(still_world):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content is not None:
            schema = content["schema"].get("anyOf", [content["schema"]])[0]
            models[schema["$ref"].rpartition("/")[2]].model_validate(content["example"])
        for parameter in operation.get("parameters", []):
            assert "example" in parameter, f"{call} {parameter['name']}"


API = sorted({call.partition("?")[0] for call, _ in VERDICTS if " /v1/" in call})


@pytest.mark.parametrize("call", API)
def test_an_unknown_parameter_is_refused_with_a_sentence(still_world: World, call: str) -> None:
    method, path = call.split(" ")
    answer = still_world.as_operator.request(method, f"{path}?limitt=5", json={}, headers=still_world.key())
    assert answer.status_code == 422, call
    assert "limitt: this call has no such parameter" in answer.json()["detail"]


def test_a_parameter_given_twice_is_refused(still_world: World) -> None:
    answer = still_world.as_operator.get("/v1/devices?limit=1&limit=2")
    assert (answer.status_code, answer.json()["detail"]) == (422, "query limit: it was given twice")


def test_an_unknown_field_is_refused_with_a_sentence(still_world: World) -> None:
    body = {"serial": "A", "model": "reed-tv-55", "colour": "red"}
    answer = still_world.as_operator.post("/v1/devices", json=body, headers=still_world.key())
    assert (answer.status_code, answer.json()["detail"]) == (422, "body colour: this call has no such field")


def test_a_wrong_method_is_told_all_right_ones(still_world: World) -> None:
    allowed = {
        "/v1/devices": "GET, HEAD, POST",
        "/v1/orders": "GET, HEAD, POST",
        "/v1/devices/AIR-1": "GET, HEAD, PATCH",
        "/sign-in": "GET, HEAD, POST",
        "/sign-out": "POST",
    }
    told = {path: still_world.as_operator.put(path).headers["allow"] for path in allowed}
    assert told == allowed


@pytest.mark.parametrize("path", ["/healthz", "/v1/devices", "/docs", "/openapi.json", "/sign-in", "/v1/devices/NOPE"])
def test_head_is_get_without_its_body(still_world: World, path: str) -> None:
    head, get = still_world.as_operator.head(path), still_world.as_operator.get(path)
    assert (head.status_code, head.content) == (get.status_code, b"")
    assert head.headers["content-type"] == get.headers["content-type"]
    assert int(head.headers["content-length"]) > 0


@pytest.mark.parametrize("path", ["/me/", "/ops/", "/v1/devices/", "/healthz/"])
def test_no_redirect_is_built_from_what_the_caller_says_is_our_name(still_world: World, path: str) -> None:
    answer = still_world.as_operator.get(path, headers={"Host": "evil.example"})
    assert answer.status_code == 404
    assert "evil" not in str(answer.headers)


def test_the_document_and_its_page_are_built_once(still_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    client = still_world.client()
    first = [client.get(path).text for path in ("/openapi.json", "/docs")]

    def fail(*_: object) -> None:
        raise AssertionError("it was built again")

    monkeypatch.setattr("api.document._complete", fail)
    monkeypatch.setattr("api.web.pages.docs.list_calls", fail)
    monkeypatch.setattr("fastapi.applications.get_openapi", fail)
    assert [client.get(path).text for path in ("/openapi.json", "/docs")] == first


def test_every_line_that_a_request_logs_carries_its_id(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of a thread that an endpoint runs in, and of loggers that know nothing of requests."""
    told = io.StringIO()
    handler = logging.StreamHandler(told)
    handler.setFormatter(JsonFormatter())

    def complain(*_: object, **__: object) -> None:
        logging.getLogger("somewhere.below").warning("deep within")
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr("api.routes.devices.select_devices", complain)
    logging.getLogger().addHandler(handler)
    try:
        for name in ("one", "two"):
            assert world.as_operator.get("/v1/devices", headers={"X-Request-Id": name}).status_code == 500
        logging.getLogger("elsewhere").warning("of no request")
    finally:
        logging.getLogger().removeHandler(handler)
    lines = [json.loads(line) for line in told.getvalue().splitlines()]
    lines = [each for each in lines if each["logger"] in ("somewhere.below", "api.problems", "elsewhere")]
    assert [each.get("request_id") for each in lines] == ["one", "one", "two", "two", None]
