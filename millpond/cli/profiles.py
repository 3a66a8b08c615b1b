"""`millpond profile`: what device models mean by what they say: look at profiles, check them, write new ones."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from millpond.cli import app
from millpond.cli.decode import default_topic, find_format
from millpond.cli.services import start
from millpond.kernel.errors import InvalidInput, MillpondError, NotFound
from millpond.kernel.settings import Settings, load_settings

if TYPE_CHECKING:
    from devices.own_files import OwnFiles
    from devices.profile import DeviceProfile
    from devices.profile_check import Surroundings

profile = typer.Typer(no_args_is_help=True, help="Say what device models mean by what they say.")
app.add_typer(profile, name="profile")

Files = Annotated[list[Path], typer.Argument(metavar="FILE…", help="Profiles, one a file.", show_default=False)]
Recordings = Annotated[list[Path], typer.Argument(metavar="FILE…", help="Recordings, or payloads.", show_default=False)]
Topic = Annotated[str, typer.Option(help="The topic of a payload that is alone in its file.", show_default=False)]
FormatName = Annotated[str | None, typer.Option("--format", help="The payloads' format; the one that reads the topic.")]
NewModel = Annotated[str, typer.Option(help="What the model is to be called.")]
Device = Annotated[str | None, typer.Option(help="The device that it is of, as its language calls it.")]
Strict = Annotated[bool, typer.Option("--strict", help="A warning is a failure too.")]
Model = Annotated[str, typer.Argument(metavar="MODEL", help="The model's name.", show_default=False)]


@profile.command()
def load() -> None:
    """Take in your own profiles, consumables and catalogue: add or renew what is new or other than before.

    They are the files in MILLPOND_PROFILES_DIR and MILLPOND_CATALOGUE_DIR; `millpond migrate` takes them in too. A
    running ingest knows them at once. A file that cannot be taken in is named, the others are taken in, and then the
    exit is 1.
    """
    from millpond.services import require_schema, take_in_own_files

    settings = start("database_url", "profiles_dir")
    require_schema(settings)
    seeded = take_in_own_files(settings, settings.make_clock())
    names = f": {', '.join(seeded.profiles)}" if seeded.profiles else ""
    typer.echo(f"{len(seeded.profiles)} profiles, {seeded.consumables} consumables, {seeded.products} products{names}")
    for fault in seeded.faults:
        typer.echo(f"millpond: {fault}", err=True)
    if seeded.faults:
        raise MillpondError(f"{len(seeded.faults)} files were not taken in")


@profile.command("list")
def list_profiles() -> None:
    """List the profiles that ship and your own, with the languages that each model speaks."""
    table = Table()
    for column in ("model", "name", "category", "parts", "speaks", "from"):
        table.add_column(column, overflow="fold")
    known, own = known_profiles(load_settings())
    for model, one in known.items():
        parts, speaks = ", ".join(part.part for part in one.parts), ", ".join(one.speaks)
        origin = own.profiles[model][0].name if model in own.profiles else "ships"
        table.add_row(model, one.name["en"], one.category, parts, speaks, origin)
    Console(markup=False, emoji=False).print(table)
    for fault in own.faults:
        typer.echo(f"millpond: {fault}", err=True)


@profile.command()
def show(model: Model) -> None:
    """Show a profile as the YAML that a file of your own could begin with."""
    from devices.profile_text import write_profile

    known, _ = known_profiles(load_settings())
    if model not in known:
        raise NotFound(f"there is no profile of {model[:80]!r}: `millpond profile list` has those that there are")
    typer.echo(write_profile(known[model]), nl=False)


@profile.command()
def check(files: Files, strict: Strict = False) -> None:
    """Say what is wrong with profiles, one sentence each with file and line, and what is probably not meant so.

    A fault (✗) makes the profile useless, a warning (!) does not. Exit 1 when there is any fault.
    """
    from devices.own_files import read_text
    from devices.profile_check import check_profile

    known, faults, warnings = _surroundings(load_settings()), 0, 0
    for path in files:
        try:
            remarks = check_profile(read_text(path), str(path), known)
        except InvalidInput as error:
            typer.echo(f"✗ {error}")
            faults += 1
            continue
        for remark in remarks:
            mark = "✗" if remark.is_fault else "!"
            typer.echo(f"{mark} {path}:{remark.line}: {remark.place or 'top level'}: {remark.sentence}")
        faults += sum(remark.is_fault for remark in remarks)
        warnings += sum(not remark.is_fault for remark in remarks)
        if not remarks:
            typer.echo(f"✓ {path}")
    if faults or (strict and warnings):
        raise MillpondError(f"{faults} faults and {warnings} warnings in {len(files)} profiles")


@profile.command()
def new(
    files: Recordings,
    topic: Topic = "",
    payload_format: FormatName = None,
    model: NewModel = "my-model",
    device: Device = None,
) -> None:
    """Propose a profile from recorded messages: metrics, units, ranges, states, and which values are a consumable's.

    A recording is what `mosquitto_sub -v -F '%j' -t 'zigbee2mqtt/#'` prints, the longer the better: how values go over
    time tells counters from percentages. A payload alone needs --topic or --format. It prints a profile of the device
    that said most, with DECIDE wherever you know better.
    """
    from ingest.formats.shipped import known_formats
    from ingest.proposals.observing import observe
    from ingest.proposals.proposing import propose
    from ingest.proposals.recording import read_recording
    from ingest.proposals.writing import write_proposal

    settings = load_settings()
    formats = known_formats(settings)
    named = find_format(formats, payload_format, topic)
    at, topic = settings.make_clock().now(), topic or default_topic(named)
    seen = observe((one for file in files for one in read_recording(file, topic, at)), formats, named)
    told = [one for one in seen.most_told if device in (None, one.identity)]
    if not told:
        raise MillpondError(
            f"none of the messages says anything that can be read ({seen.unread} are of no known format)"
        )
    typer.echo(write_proposal(propose(told[0]), model), nl=False)
    if others := ", ".join(one.identity for one in told[1:6]):
        typer.echo(f"other devices are in it too, take one with --device: {others}", err=True)


@profile.command()
def schema() -> None:
    """Print the JSON Schema of a profile, with which an editor helps to write one."""
    from devices.profile_schema import write_schema

    typer.echo(write_schema(), nl=False)


def _surroundings(settings: Settings) -> "Surroundings":
    from devices.own_files import read_own_files
    from devices.profile import shipped_consumables
    from devices.profile_check import Surroundings
    from ingest.formats.shipped import known_formats

    own = read_own_files(settings.profiles_dir, None)
    entries = [*shipped_consumables(), *(own.consumables.consumables if own.consumables else ())]
    languages = sorted({one.language for one in known_formats(settings).all})
    return Surroundings({entry.consumable for entry in entries}, languages)


def known_profiles(settings: Settings) -> tuple[dict[str, "DeviceProfile"], "OwnFiles"]:
    """The profiles that ship and those of the user's folder, which come first; and that folder as it was read."""
    from devices.own_files import read_own_files
    from devices.profile import shipped_profiles

    own = read_own_files(settings.profiles_dir, None)
    profiles = dict(shipped_profiles()) | {model: one for model, (_, one) in own.profiles.items()}
    return dict(sorted(profiles.items())), own
