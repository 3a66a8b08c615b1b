"""Commands that give devices, lines and hubs what they prove themselves by."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from millpond.cli import app
from millpond.cli.opened import opened
from millpond.kernel.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from devices.nouns import Device
    from millpond.kernel.db import WriteConnection

credentials = typer.Typer(no_args_is_help=True, help="What one device proves itself by at the broker.")
lines = typer.Typer(no_args_is_help=True, help="Keys of production lines, by which new devices get credentials.")
hubs = typer.Typer(no_args_is_help=True, help="Accounts of hubs that keep topics of their own.")
for name, group in (("credentials", credentials), ("line", lines), ("hub", hubs)):
    app.add_typer(group, name=name)

_BY = "operator:command"
File = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, metavar="FILE", show_default=False, help="CSV in UTF-8.")
]
Output = Annotated[Path, typer.Option("--output", dir_okay=False, writable=True, help="CSV to add the credentials to.")]
Days = Annotated[float | None, typer.Option(min=0.001, help="Days that they are good; without, for good.")]
Serial = Annotated[str, typer.Argument(show_default=False, help="The device's serial.")]
Name = Annotated[str, typer.Argument(show_default=False, help="A name of your own: small letters, digits, dashes.")]
Certificate = Annotated[
    bool, typer.Option("--certificate", help="One of an authority of yours, instead of a password.")
]
Topics = Annotated[list[str], typer.Argument(metavar="TOPIC…", help="Filters of its own, such as zigbee2mqtt/#.")]
Slot = Annotated[int | None, typer.Option(min=1, max=2, help="Only the credential in this slot.")]


def known_device(conn: "WriteConnection", serial: str) -> "Device":
    """The device, or NotFound."""
    from devices.store import select_device

    device = select_device(conn, serial)
    if device is None:
        raise NotFound(f"device {serial[:80]} is not registered")
    return device


def span(days: float | None) -> timedelta | None:
    """So many days, if any."""
    return None if days is None else timedelta(days=days)


@app.command()
def provision(file: File, output: Output, days: Days = None) -> None:
    """Issue a credential to each device of a CSV file (column serial) that has none, and write it down once.

    The output gets serial,username,password,expires_at; it is the only place where the passwords stand. Running it
    again changes nothing.
    """
    from devices.credentials.provisioning import provision_file

    with opened() as (settings, conn, at):
        keys = settings.device_keys()
        made, had, faults = provision_file(conn, keys, file, output, at=at, by=_BY, life=span(days))
    for fault in faults:
        typer.echo(fault, err=True)
    typer.echo(f"credentials written to {output}: {made:,}; had one: {had:,}; rows refused: {len(faults):,}")
    if faults:
        raise typer.Exit(1)


@credentials.command("issue")
def issue(serial: Serial, days: Days = None, certificate: Certificate = False) -> None:
    """Issue one more credential; the one that the device has stays good. The password is printed once."""
    from devices.credentials.issuing import issue_credential
    from devices.credentials.nouns import CredentialKind

    kind = CredentialKind.CERTIFICATE if certificate else CredentialKind.PASSWORD
    with opened() as (settings, conn, at), conn.transaction():
        keys, device = settings.device_keys(), known_device(conn, serial)
        issued = issue_credential(conn, keys, device, at=at, by=_BY, life=span(days), kind=kind)
    typer.echo(f"username {issued.username}")
    typer.echo(f"password {issued.password}" if issued.password else "a certificate whose common name is the username")


@credentials.command("revoke")
def revoke(serial: Serial, slot: Slot = None) -> None:
    """End what the device has: the broker disconnects it, and lets it in no more."""
    from devices.credentials.issuing import end_credentials
    from devices.credentials.nouns import EndedBecause

    with opened() as (_, conn, at):
        device = known_device(conn, serial)
        ended = end_credentials(conn, device, at=at, by=_BY, because=EndedBecause.REVOKED, slot=slot)
    typer.echo(f"{serial}: {ended} credentials ended")


@credentials.command("list")
def list_credentials(serial: Serial) -> None:
    """What the device has and had, without secrets."""
    from devices.credentials.issuing import select_credentials

    with opened() as (_, conn, _at):
        rows = select_credentials(conn, known_device(conn, serial).device_id)
    for row in rows:
        end = f"{row.ended_because} {row.ended_at:%Y-%m-%d %H:%M} by {row.ended_by}" if row.ended_at else "good"
        typer.echo(f"slot {row.slot}  {row.kind}  issued {row.issued_at:%Y-%m-%d %H:%M} by {row.issued_by}  {end}")


@credentials.command("code")
def code(serial: Serial) -> None:
    """A code by which the device gets its credential once, with POST /v1/devices/provision; a newer voids an older."""
    from devices.credentials.provisioning import PROVISION_LIFE
    from devices.owners import ClaimKind, issue_claim_code

    with opened() as (_, conn, at), conn.transaction():
        device = known_device(conn, serial)
        typer.echo(issue_claim_code(conn, device, ClaimKind.PROVISION, at=at, issued_by=_BY, life=PROVISION_LIFE))


@lines.command("add")
def add_line(
    line: Name,
    model: Annotated[str, typer.Option(help="The model that the line makes.")],
    devices: Annotated[int, typer.Option(min=1, help="Most devices that get a credential by it.")],
    days: Annotated[float, typer.Option(min=0.001, help="Days that it is good.")] = 90,
) -> None:
    """A key for a production line, printed once."""
    from devices.credentials.lines import issue_line_key

    with opened() as (settings, conn, at), conn.transaction():
        keys, life = settings.device_keys(), timedelta(days=days)
        typer.echo(issue_line_key(conn, keys, line, model=model, devices_max=devices, at=at, by=_BY, life=life))


@lines.command("revoke")
def revoke_line(line: Name) -> None:
    """No device gets a credential by this line's key any more; those that have one keep it."""
    from devices.credentials.lines import revoke_line_key

    with opened() as (_, conn, at):
        revoke_line_key(conn, line, at=at, by=_BY)
    typer.echo(f"line {line}: its key is good for nothing any more")


@lines.command("list")
def list_lines() -> None:
    """All lines, and how many devices each has provisioned."""
    from devices.credentials.lines import select_line_keys

    with opened() as (_, conn, at):
        for key in select_line_keys(conn):
            end = "revoked" if key.revoked_at else "expired" if key.expires_at <= at else "good"
            made = f"{key.devices:,} of {key.devices_max:,}"
            typer.echo(f"{key.line}  {key.model}  {made}  until {key.expires_at:%Y-%m-%d}  {end}")


@hubs.command("add")
def add_hub(name: Name, topics: Topics) -> None:
    """An account for a hub that reads and writes these topics, such as zigbee2mqtt/#; the password is printed once."""
    from devices.credentials.hubs import hub_username, issue_hub_account

    if not topics:
        raise InvalidInput("name at least one topic")
    with opened() as (settings, conn, at), conn.transaction():
        password = issue_hub_account(conn, settings.device_keys(), name, topics, at=at, by=_BY)
    typer.echo(f"username {hub_username(name)}\nclient id {hub_username(name)}\npassword {password}")


@hubs.command("remove")
def remove_hub(name: Name) -> None:
    """The hub is disconnected and has no account any more."""
    from devices.credentials.hubs import end_hub_account

    with opened() as (_, conn, _at):
        end_hub_account(conn, name)
    typer.echo(f"hub {name}: removed")


@hubs.command("list")
def list_hubs() -> None:
    """All hubs and their topics."""
    from devices.credentials.hubs import select_hub_accounts

    with opened() as (_, conn, _at):
        for hub in select_hub_accounts(conn):
            typer.echo(f"{hub.name}  {' '.join(hub.topics)}  since {hub.issued_at:%Y-%m-%d} by {hub.issued_by}")
