"""Lists by cursor: opaque to the caller, the last key of the page to us."""

import base64
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Query
from fastapi.responses import Response
from pydantic import BaseModel, Field

from millpond.kernel.errors import InvalidInput

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

Limit = Annotated[int, Query(ge=1, le=200, description="Most items of one page.")]
Cursor = Annotated[str | None, Query(max_length=400, description="`next_cursor` of the page before.")]


class Page(BaseModel, Generic[M]):
    """One page of a list; without `next_cursor` it is the last."""

    items: list[M]
    next_cursor: str | None = Field(default=None, description="Ask for the next page with `cursor=` this.")


class Feed(Page[M], Generic[M]):
    """A page of what is offered: chosen for this person, or (`personalised` false) the same for everybody."""

    personalised: bool


def json_feed(items: Sequence[str], next_cursor: str | None, *, personalised: bool) -> Response:
    """A `Feed` of items that are JSON already, as FastAPI would write it."""
    rest = f'"next_cursor":{json.dumps(next_cursor)},"personalised":{json.dumps(personalised)}'
    page = f'{{"items":[{",".join(items)}],{rest}}}'
    return Response(page, media_type="application/json")


def encode_cursor(*key: str | int) -> str:
    """A cursor after `key`."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, *types: type) -> tuple[Any, ...]:
    """The key in `cursor`, one part for each of `types`; raises InvalidInput when it is not one of ours."""
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if [type(part) for part in key] != list(types):
            raise ValueError
    except (ValueError, TypeError) as error:
        raise InvalidInput("cursor: this is not a next_cursor that a page of this list gave") from error
    return tuple(key)


def decode_time_cursor(cursor: str | None, key: type) -> tuple[datetime, Any] | None:
    """The time and the key in `cursor`, None without one; raises InvalidInput when it is not one of ours."""
    if cursor is None:
        return None
    text, after = decode_cursor(cursor, str, key)
    try:
        return datetime.fromisoformat(text), after
    except ValueError as error:
        raise InvalidInput("cursor: this is not a next_cursor that a page of this list gave") from error


def cut_page(rows: Sequence[T], limit: int, cursor_of: Callable[[T], str]) -> tuple[Sequence[T], str | None]:
    """The first `limit` of rows (of which one more was asked for), and the cursor after them if there are more."""
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], cursor_of(rows[limit - 1])


def after_id(cursor: str | None) -> str:
    """After which id a list that is ordered by a text id goes on; "" without a cursor."""
    return decode_cursor(cursor, str)[0] if cursor else ""


def page_by_id(rows: Sequence[object], limit: int, shown: type[M], key: str) -> Page[M]:
    """A page of rows that are ordered by the id called `key`, of which one more than `limit` was asked for."""
    page, following = cut_page(rows, limit, lambda row: encode_cursor(getattr(row, key)))
    return Page(items=[shown.model_validate(row) for row in page], next_cursor=following)
