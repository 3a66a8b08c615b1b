"""Commands for one device: what the languages of hubs and makers call it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from millpond.cli import app
from millpond.cli.opened import opened
from millpond.kernel.errors import NotFound
from millpond.kernel.settings import load_settings

if TYPE_CHECKING:
    from devices.nouns import Device
    from millpond.kernel.db import WriteConnection

device = typer.Typer(no_args_is_help=True, help="Say what hubs and makers call a device.")
app.add_typer(device, name="device")

Serial = Annotated[str, typer.Argument(help="A registered device.", show_default=False)]
FormatName = Annotated[
    str,
    typer.Argument(metavar="FORMAT", help="A format, as `lobby list` and docs/formats.md call it.", show_default=False),
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="What the device is called in it.", show_default=False)]


@contextmanager
def _find(serial: str) -> "Iterator[tuple[WriteConnection, Device, datetime]]":
    from devices.store import select_device

    with opened() as (_, conn, at), conn.transaction():
        found = select_device(conn, serial)
        if found is None:
            raise NotFound(f"no device {serial} is registered: register it first, or see `millpond lobby list`")
        yield conn, found, at


@device.command()
def alias(serial: Serial, format_name: FormatName, name: Name) -> None:
    """From now on messages of a format that speak of NAME are this device's; what waited under it is stored soon."""
    from devices.aliases import alias_device
    from ingest.formats.shipped import language_named

    format_name = language_named(load_settings(), format_name)
    with _find(serial) as (conn, found, at):
        alias_device(conn, found.device_id, format_name=format_name, external_id=name, at=at)
    typer.echo(f"{serial} is {name} in {format_name}; what waited under that name is stored soon, while ingest runs")


@device.command()
def unalias(serial: Serial, format_name: FormatName, name: Name) -> None:
    """NAME is this device no longer: what speaks of it waits in the lobby."""
    from devices.aliases import end_alias

    with _find(serial) as (conn, found, _):
        end_alias(conn, found, format_name=format_name, external_id=name)
    typer.echo(f"{name} in {format_name} is {serial} no longer")


@device.command()
def aliases(serial: Serial) -> None:
    """What formats call this device."""
    from devices.aliases import select_aliases_of_device

    with _find(serial) as (conn, found, _):
        names = select_aliases_of_device(conn, found.device_id)
    for one in names:
        typer.echo(f"{one.format}\t{one.external_id}")
    if not names:
        typer.echo(f"{serial} is called nothing else")
