"""An OpenAPI document as a list a template can show: calls by tag, with their parameters, bodies and answers."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Field:
    """One parameter or one field of a body or an answer."""

    name: str
    type: str
    required: bool
    meaning: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """One method of one path."""

    method: str
    path: str
    meaning: str
    needs_token: bool
    parameters: list[Field]
    body: list[Field]
    status: str
    answer: list[Field]


def list_calls(document: dict[str, Any]) -> dict[str, list[Call]]:
    """The document's calls by their first tag, in its order."""
    groups: dict[str, list[Call]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            tag = operation.get("tags", ["other"])[0]
            groups.setdefault(tag, []).append(_read_call(document, path, method, operation))
    return groups


def _read_call(document: dict[str, Any], path: str, method: str, operation: dict[str, Any]) -> Call:
    status, answer = next(iter(operation["responses"].items()))
    return Call(
        method=method.upper(),
        path=path,
        meaning=operation.get("description", operation.get("summary", "")),
        needs_token="security" in operation,
        parameters=[_read_parameter(document, each) for each in operation.get("parameters", [])],
        body=list(_read_fields(document, operation.get("requestBody", {}))),
        status=status,
        answer=list(_read_fields(document, answer)),
    )


def _read_parameter(document: dict[str, Any], each: dict[str, Any]) -> Field:
    required = each.get("required", False)
    return Field(each["name"], _type_of(document, each["schema"]), required, each.get("description", ""), each["in"])


def _read_fields(document: dict[str, Any], content: dict[str, Any]) -> Iterator[Field]:
    schema = _resolve(document, content.get("content", {}).get("application/json", {}).get("schema", {}))
    for name, each in schema.get("properties", {}).items():
        required = name in schema.get("required", [])
        yield Field(name, _type_of(document, each), required, each.get("description", ""))


def _resolve(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    return document["components"]["schemas"][reference.rsplit("/", 1)[1]] if reference else schema


def _type_of(document: dict[str, Any], schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_type_of(document, each) for each in schema["anyOf"])
    resolved = _resolve(document, schema)
    if "enum" in resolved:
        return " | ".join(map(str, resolved["enum"]))
    if resolved.get("type") == "array":
        return f"list of {_type_of(document, resolved.get('items', {}))}"
    if resolved.get("type") == "object" and "title" in resolved and "properties" in resolved:
        return "{" + ", ".join(resolved["properties"]) + "}"
    return str(resolved.get("format") or resolved.get("type") or "any")
