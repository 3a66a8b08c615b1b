"""The shipped catalogue and profiles, put into the database."""

from devices.profile import shipped_catalogue, shipped_profiles
from devices.registry import register_model, seed_catalogue
from millpond.kernel.db import WriteConnection


def seed_shipped(conn: WriteConnection) -> None:
    """Add or renew everything that ships: safe to repeat at every migration."""
    seed_catalogue(conn, shipped_catalogue())
    for profile in shipped_profiles().values():
        register_model(conn, profile)
