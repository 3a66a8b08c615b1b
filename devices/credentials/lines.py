"""A production line's key: all its devices share it, and each gets a credential of its own by it, once.

A device proves that it has the key with an HMAC-SHA256 of its serial and a nonce of its own choice. Whoever reads the
key out of one device can prove serials, so it is good for little: only for devices that nobody registered before, for
as many as it was issued for, for a time, and for each serial only until an hour after its first proof.
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from psycopg.rows import class_row, dict_row

from devices.credentials.nouns import IssuedCredential
from devices.credentials.provisioning import REFUSED, renew_credential
from devices.nouns import Device
from devices.registry import register_device
from devices.store import select_device
from millpond.kernel.db import ReadConnection, Refusals, WriteConnection, load_queries, refusing
from millpond.kernel.device_keys import DeviceKeys
from millpond.kernel.errors import Conflict, InvalidInput, NotFound

_Q = load_queries("devices.credentials")
_SALT_BYTES = 16
# A device whose answer was lost proves itself again; later it has a credential, and the line's key is worth nothing.
_AGAIN_WITHIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class LineKey:
    """A line's key, without the key; `devices` of `devices_max` were provisioned by it."""

    line: str
    model: str
    devices_max: int
    issued_at: datetime
    issued_by: str
    expires_at: datetime
    revoked_at: datetime | None
    revoked_by: str | None
    devices: int


@dataclass(frozen=True, slots=True)
class _Locked:
    line: str
    model: str
    key_id: str
    salt: bytes
    devices_max: int
    expires_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class LineProof:
    """What a device says: its serial, its line, a nonce that it never said before, and the HMAC in hexadecimal."""

    serial: str
    line: str
    nonce: str
    proof: str


def issue_line_key(
    conn: WriteConnection,
    keys: DeviceKeys,
    line: str,
    *,
    model: str,
    devices_max: int,
    at: datetime,
    by: str,
    life: timedelta,
) -> str:
    """A key for a line that makes devices of one model, told once.

    Raises Conflict when the line has one, InvalidInput for a name that does not fit or an unknown model.
    """
    salt = secrets.token_bytes(_SALT_BYTES)
    values = {"line": line, "model": model, "key_id": keys.current, "salt": salt, "devices_max": devices_max}
    with refusing(conn, _line_refusals(line, model)):
        conn.execute(_Q["insert_line_key"], values | {"at": at, "by": by, "expires_at": at + life})
    return keys.derive(keys.current, f"line {line}", salt)


def revoke_line_key(conn: WriteConnection, line: str, *, at: datetime, by: str) -> None:
    """No device gets a credential by this key any more; those that have one keep it. NotFound when it has ended."""
    if not conn.execute(_Q["revoke_line_key"], {"line": line, "at": at, "by": by}).rowcount:
        raise NotFound(f"line {line[:80]} has no key that is good")


def select_line_keys(conn: ReadConnection) -> list[LineKey]:
    """All lines, by name."""
    with conn.cursor(row_factory=class_row(LineKey)) as cursor:
        return cursor.execute(_Q["select_line_keys"]).fetchall()


def is_line_good(conn: ReadConnection, line: str, at: datetime) -> bool:
    """Whether a line has a key that neither ended nor was revoked."""
    return conn.execute(_Q["select_good_line"], {"line": line, "at": at}).fetchone() is not None


def compute_proof(key: str, serial: str, nonce: str) -> str:
    """The HMAC that a device says, in hexadecimal; `key` is used as the text that it is."""
    return hmac.digest(key.encode(), f"{serial}\n{nonce}".encode(), "sha256").hex()


def provision_by_line(conn: WriteConnection, keys: DeviceKeys, said: LineProof, *, at: datetime) -> IssuedCredential:
    """The credential of a device of the line, which is registered by this if nobody knew it.

    Raises NotFound, alike for a wrong proof, a key that has ended and a serial that is not the line's; Conflict for a
    nonce that was said before, and when the line made all its devices.
    """
    line = _lock_line(conn, keys, said, at)
    device = _line_device(conn, line, said, at)
    values = {"line": line.line, "nonce": said.nonce, "device_id": device.device_id, "at": at}
    again = partial(Conflict, "this nonce was said before: choose another at each try")
    with refusing(conn, {"line_proof_is_new": again}):
        conn.execute(_Q["insert_line_proof"], values)
    return renew_credential(conn, keys, device, at=at)


def _lock_line(conn: WriteConnection, keys: DeviceKeys, said: LineProof, at: datetime) -> _Locked:
    with conn.cursor(row_factory=class_row(_Locked)) as cursor:
        line = cursor.execute(_Q["lock_line_key"], {"line": said.line}).fetchone()
    if line is None or line.revoked_at is not None or line.expires_at <= at:
        raise NotFound(REFUSED)
    key = keys.derive(line.key_id, f"line {line.line}", line.salt)
    if not hmac.compare_digest(compute_proof(key, said.serial, said.nonce), said.proof.lower()):
        raise NotFound(REFUSED)
    return line


def _line_device(conn: WriteConnection, line: _Locked, said: LineProof, at: datetime) -> Device:
    """The device, if it is one of this line and not long since it first proved itself, or a new one."""
    device = select_device(conn, said.serial)
    proofs = {"line": line.line, "device_id": device.device_id if device else None}
    with conn.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(_Q["select_line_proofs"], proofs).fetchone()
    assert found is not None
    if device is not None:
        if found["first_at"] is None or at - found["first_at"] > _AGAIN_WITHIN:
            raise NotFound(REFUSED)
        return device
    if found["devices"] >= line.devices_max:
        raise Conflict(f"line {line.line} made {line.devices_max} devices, as many as its key is for")
    by = f"line:{line.line}"
    return register_device(conn, serial=said.serial, model=line.model, installed_at=at, at=at, granted_by=by)


def _line_refusals(line: str, model: str) -> Refusals:
    unfit = f"line {line[:80]!r} is not 1 to 64 small letters, digits, dots, dashes or underscores"
    return {
        "line_key_pkey": partial(Conflict, f"line {line} had a key already: give the new one another name"),
        "line_key_name_fits": partial(InvalidInput, unfit),
        "line_key_makes_a_model": partial(InvalidInput, f"model {model} is not known: add its profile first"),
        "line_key_makes_some": partial(InvalidInput, "a line makes 1 to 1,000,000 devices"),
        "line_key_expires_later": partial(InvalidInput, "a line's key is good for some time"),
    }
