"""The shipped catalogue, consumables and profiles, put into the database."""

from datetime import datetime

from catalogue.entries import shipped_catalogue
from catalogue.seed import seed_catalogue
from devices.profile import shipped_consumables, shipped_profiles
from devices.registry import register_consumable, register_model
from millpond.kernel.db import WriteConnection


def seed_shipped(conn: WriteConnection, *, at: datetime) -> None:
    """Add or renew everything that ships: safe to repeat at every migration."""
    seed_catalogue(conn, shipped_catalogue(), at=at)
    with conn.transaction():
        for consumable in shipped_consumables():
            register_consumable(conn, consumable)
    for profile in shipped_profiles().values():
        register_model(conn, profile)
