"""What ships, and a user's own files: catalogue, consumables and profiles, put into the database."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from catalogue.entries import shipped_catalogue
from catalogue.seed import seed_catalogue, take_in_catalogue
from devices.own_files import CONSUMABLES, OwnFiles, read_own_files
from devices.profile import ConsumableEntry, shipped_consumables, shipped_profiles
from devices.registry import register_consumable, register_model
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import Conflict, InvalidInput


@dataclass(slots=True)
class OwnSeeded:
    """How much of a user's own came into the database, and a sentence for each file that did not."""

    profiles: list[str] = field(default_factory=list)
    consumables: int = 0
    products: int = 0
    faults: list[str] = field(default_factory=list)


def seed_shipped(conn: WriteConnection, *, at: datetime) -> None:
    """Add or renew everything that ships: safe to repeat at every migration."""
    seed_catalogue(conn, shipped_catalogue(), at=at)
    with conn.transaction():
        for consumable in shipped_consumables():
            register_consumable(conn, consumable)
    for profile in shipped_profiles().values():
        register_model(conn, profile)


def seed_own(
    conn: WriteConnection, *, profiles_dir: Path | None, catalogue_dir: Path | None, at: datetime
) -> OwnSeeded:
    """Add or renew what the two folders have, after what ships: of one model the user's own profile counts.

    A file that cannot be read, or names what is not there, is a fault and stops no other.
    """
    own = read_own_files(profiles_dir, catalogue_dir)
    seeded = OwnSeeded(faults=own.faults)
    _seed_catalogues(conn, own, seeded, at)
    for entry in own.consumables.consumables if own.consumables else ():
        _seed_consumable(conn, entry, seeded)
    for path, profile in own.profiles.values():
        try:
            register_model(conn, profile)
            seeded.profiles.append(profile.model)
        except InvalidInput as error:
            seeded.faults.append(f"{path}: {error}")
    return seeded


def _seed_catalogues(conn: WriteConnection, own: OwnFiles, seeded: OwnSeeded, at: datetime) -> None:
    for path, catalogue in own.catalogues:
        try:
            take_in_catalogue(conn, catalogue, at=at)
            seeded.products += len(catalogue.products)
        except (InvalidInput, Conflict) as error:
            seeded.faults.append(f"{path}: {error}")


def _seed_consumable(conn: WriteConnection, entry: ConsumableEntry, seeded: OwnSeeded) -> None:
    try:
        register_consumable(conn, entry)
        seeded.consumables += 1
    except InvalidInput as error:
        seeded.faults.append(f"{CONSUMABLES}: {error}")
