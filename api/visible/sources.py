"""Who sends events, and its keys, are for operators."""

from api.auth import Caller, Role
from api.visible.roles import require_role
from events.nouns import SourceId
from millpond.kernel.errors import NotFound

_ID_MAX = 2**31


def visible_source_id(caller: Caller, source_id: str) -> SourceId:
    """The id that stands in an address. Raises NotFound for who is no operator, and for what is no id."""
    require_role(caller, Role.OPERATOR)
    return SourceId(_number(source_id, "source"))


def visible_key_id(caller: Caller, key_id: str) -> int:
    """The id of a key that stands in an address. Raises NotFound."""
    require_role(caller, Role.OPERATOR)
    return _number(key_id, "key")


def _number(text: str, what: str) -> int:
    if not (text.isascii() and text.isdecimal()) or not 0 < int(text[:10]) < _ID_MAX or len(text) > 10:
        raise NotFound(f"there is no {what} of that id")
    return int(text)
