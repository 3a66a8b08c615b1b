"""Commands for what goes out to the broker: `millpond broker sync`, `file` and `tell`."""

from pathlib import Path
from typing import Annotated

import typer

from millpond.cli import app
from millpond.cli.opened import opened

broker = typer.Typer(
    no_args_is_help=True, help="Who may sign in at the broker, by mosquitto's dynamic security plugin."
)
app.add_typer(broker, name="broker")

Output = Annotated[Path, typer.Argument(dir_okay=False, show_default=False, help="What plugin_opt_config_file names.")]


@broker.command()
def sync() -> None:
    """Bring the broker's users to what the database says, once. `millpond schedule` does so by itself.

    Whoever is right already is left alone and stays connected; running it again changes nothing.
    """
    from outward.access.control import control_of
    from outward.access.keeping import ours_of, sync_access

    with opened() as (settings, conn, at), control_of(ours_of(settings).admin) as control:
        changes = sync_access(conn, control, settings, at)
    typer.echo(
        f"users added: {len(changes.add_users):,}; removed: {len(changes.remove_users):,};"
        f" roles added: {len(changes.add_roles):,}; removed: {len(changes.remove_roles):,}"
    )


@broker.command()
def tell(
    again: Annotated[bool, typer.Option("--again", help="All of it, for a broker that lost what it was told.")] = False,
) -> None:
    """Tell devices and households now what changed in their forecasts, as `millpond schedule` does by itself."""
    from outward.told.store import forget_told
    from outward.told.telling import tell_devices

    with opened() as (settings, conn, at):
        settings.require("broker_url")
        if again:
            forget_told(conn)
        done = tell_devices(conn, at, settings)
    typer.echo(f"devices: {done.devices:,}; messages told: {done.told:,}; taken back: {done.taken_back:,}")


@broker.command()
def file(path: Output) -> None:
    """Write the plugin's file with all users, for a broker that is not running: for its first start, or many at once.

    A running broker would write over it. The file has hashes of the passwords only; let nobody but the broker
    read it.
    """
    from outward.access.keeping import write_file

    with opened() as (settings, conn, at):
        users = write_file(conn, settings, path, at)
    typer.echo(f"{path}: {users:,} users, and who keeps them")
