"""Files in YAML as typed objects: what ships with Millpond, and what people write themselves."""

import re
from collections.abc import Sequence
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from millpond.kernel.errors import InvalidInput

_M = TypeVar("_M", bound=BaseModel)


class Strict(BaseModel):
    """A part of such a file: it has no other keys than these, and does not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # in C where the library has it
    """YAML in which only true and false are booleans, as in its version 1.2: `on`, `off` and `no` are words."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """As it is, when no key is there twice: the second would silently count."""
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen and not isinstance(key.value, list):
                raise yaml.constructor.ConstructorError(None, None, f"{key.value!r} is there twice", key.start_mark)
            seen.update([key.value] if isinstance(key.value, str) else [])
        return dict(super().construct_mapping(node, deep))


_BOOLEAN = "tag:yaml.org,2002:bool"
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOLEAN]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(_BOOLEAN, re.compile("^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))


def load_yaml(text: str, where: str) -> Any:
    """What a YAML text holds; InvalidInput with one sentence that names the file (`where`) and the line."""
    try:
        return yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        raise InvalidInput(f"{where} is not YAML: {' '.join(str(error).split())}") from error


def find_line(text: str, place: Sequence[str | int]) -> int:
    """The line, from 1, on which a place of a YAML text begins; of what is not there, that of what would hold it."""
    node = yaml.compose(text, _Loader)
    for step in place:
        inner = _step_into(node, step)
        if inner is None:
            break
        node = inner
    return 1 if node is None else int(node.start_mark.line) + 1


def _step_into(node: yaml.Node | None, step: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        inner: yaml.Node = node.value[step]
        return inner
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if str(key.value) == str(step)), None)
    return None


def read_yaml(kind: type[_M], text: str, where: str) -> _M:
    """`text` as a `kind`; InvalidInput with one sentence that names the file (`where`) and the place."""
    try:
        return kind.model_validate(load_yaml(text, where))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "top level"
        raise InvalidInput(f"{where}, {place}: {first['msg'].removeprefix('Value error, ')}") from error
