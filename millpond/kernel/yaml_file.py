"""Files in YAML as typed objects: what ships with Millpond, and what people write themselves."""

from typing import TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from millpond.kernel.errors import InvalidInput

_M = TypeVar("_M", bound=BaseModel)


class Strict(BaseModel):
    """A part of such a file: it has no other keys than these, and does not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def read_yaml(kind: type[_M], text: str, where: str) -> _M:
    """`text` as a `kind`; InvalidInput with one sentence that names the file (`where`) and the place."""
    try:
        return kind.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise InvalidInput(f"{where} is not YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "top level"
        raise InvalidInput(f"{where}, {place}: {first['msg']}") from error
