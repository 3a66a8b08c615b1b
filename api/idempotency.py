"""Writes that may be sent twice: the key is claimed and the answer kept in the transaction of the write itself."""

import hashlib
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb
from psycopg_pool import ConnectionPool
from pydantic import BaseModel

from api.problems import KeyMissing, KeyReused
from millpond.kernel.db import WriteConnection, load_queries

_Q = load_queries("millpond.kernel")
KEY_PATTERN = r"[\x21-\x7e]{1,200}"
_KEY = re.compile(KEY_PATTERN)

WriteFunction = Callable[[WriteConnection], tuple[int, BaseModel]]
"""What a write does: it writes with the connection, and returns the HTTP status and body of its answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a write was answered with: an HTTP status, a JSON body, and whether it was answered before."""

    status: int
    body: dict[str, Any]
    replayed: bool


@dataclass(frozen=True, slots=True)
class _Kept:
    request_hash: str
    status: int
    response: dict[str, Any]


@dataclass(frozen=True, slots=True)
class IdempotentWrite:
    """A write that may be sent twice: whose it is, under which key, and with which request."""

    pool: ConnectionPool[WriteConnection]
    subject: str
    key: str
    request_hash: str
    at: datetime

    def run(self, act: WriteFunction) -> Answer:
        """Run `act` in one transaction with the key; a repeated key gets the first answer again, and `act` is not run.

        `act` may open nested transactions. Its errors pass through, and then the key stays free for another try.
        """
        with self.pool.connection() as conn, conn.transaction():
            conn.execute(_Q["lock_idempotency_key"], {"subject": self.subject, "key": self.key})
            earlier = self._earlier_answer(conn)
            if earlier:
                return earlier
            status, model = act(conn)
            answer = Answer(status, model.model_dump(mode="json"), replayed=False)
            self._keep(conn, answer, told_once=getattr(model, "told_once", ()))
            return answer

    def _earlier_answer(self, conn: WriteConnection) -> Answer | None:
        with conn.cursor(row_factory=class_row(_Kept)) as cursor:
            kept = cursor.execute(_Q["select_idempotency_key"], {"subject": self.subject, "key": self.key}).fetchone()
        if kept is None:
            return None
        if kept.request_hash != self.request_hash:
            raise KeyReused("this Idempotency-Key was used for another request: take a new key for a new wish")
        return Answer(kept.status, kept.response, replayed=True)

    def _keep(self, conn: WriteConnection, answer: Answer, told_once: Collection[str]) -> None:
        """Keep the answer for who asks again, without the secrets that the model says are told once."""
        kept = answer.body | dict.fromkeys(told_once)
        values = {
            "subject": self.subject,
            "key": self.key,
            "request_hash": self.request_hash,
            "status": answer.status,
            "response": Jsonb(kept),
            "at": self.at,
        }
        conn.execute(_Q["insert_idempotency_key"], values)


def require_key(key: str | None) -> str:
    """The key, or KeyMissing when a write came without one or with one that is not 1 to 200 printable characters."""
    if key is None:
        raise KeyMissing("a write needs an Idempotency-Key header: any text of your own, new for each new wish")
    if not _KEY.fullmatch(key):
        raise KeyMissing("an Idempotency-Key is 1 to 200 printable ASCII characters without spaces")
    return key


def hash_request(method: str, path: str, query: str, body_sha256: str) -> str:
    """One text for all that makes two requests the same request."""
    return hashlib.sha256("\n".join((method, path, query, body_sha256)).encode()).hexdigest()
